"""make see as its reader meets it: a real browser presses the buttons, and looks at the picture."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

import lab
from tests.helpers.browser import chromium, needs_chromium

pytestmark = [needs_chromium, pytest.mark.timeout(240), pytest.mark.thorough]
HERE = Path(__file__).parent
STATIC = lab.PROJECT / "notebooks/see/static"
SOON = 60  # seconds, on a busy machine
ALIVE = ":not(.gone):not(.zombie)"
SIZES = {"laptop": (1280, 800), "phone": (390, 844)}


class Page:
    """The page in a browser, and what can be seen on it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, address):
        self.driver.get(address)
        return self

    def script(self, words, *arguments):
        return self.driver.execute_script(words, *arguments)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def press(self, selector):
        self.one(selector).click()

    def count(self, selector):
        return self.script("return document.querySelectorAll(arguments[0]).length", selector)

    def text(self, selector="body"):
        """What stands in an element; "" if there is none."""
        return self.script("return document.querySelector(arguments[0])?.textContent ?? ''",
                           selector)

    def processes(self, look=""):
        """The PIDs of those that are drawn, of one look or of all."""
        return set(self.script(
            "return [...document.querySelectorAll(arguments[0])].map(one => +one.dataset.pid)",
            f"[data-pid]{look}"))

    def wait(self, condition, what):
        answer = lab.eventually(condition, SOON, 0.1)
        assert answer, (f"{what}: not seen within {SOON} s. The page says: "
                        f"{self.text('.sentences')!r}, {self.text('#note')!r}; it draws "
                        f"{len(self.processes())} processes, {len(self.processes('.zombie'))} "
                        "of them zombies.")
        return answer

    def wait_for_start(self, stage):
        self.wait(lambda: self.text(".server h2").startswith(f"{stage} ")
                  and self.count(".socket.listening"), f"stage {stage} listens")

    def send(self, count):
        self.press(f"#clients [data-count='{count}']")

    def emulate(self, size="laptop", theme="light", motion="no-preference"):
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": motion}]})

    def go_to(self, time):
        """Scrub there."""
        self.script("const slider = document.getElementById('time'); slider.value = arguments[0];"
                    "slider.dispatchEvent(new Event('input'))", time)


@pytest.fixture(scope="module")
def driver():
    with chromium() as driver:
        yield driver


@pytest.fixture
def page(driver):
    """A page, and after the test none that still asks."""
    page = Page(driver)
    page.emulate()
    yield page
    driver.get("about:blank")


@pytest.fixture
def see():
    """see("3f", "--delay", "1") runs make see, without a browser of its own: (process, address)."""
    with ExitStack() as stack:
        def see(stage, *options):
            process = subprocess.Popen(
                [sys.executable, "-m", "see", "--no-browser", "--stage", stage, *options],
                cwd=lab.PROJECT, env={**os.environ, "PYTHONPATH": str(lab.PROJECT / "notebooks")},
                stdout=subprocess.PIPE, text=True, start_new_session=True)
            stack.enter_context(process.stdout)
            stack.callback(process.wait, 30)
            stack.callback(process.send_signal, signal.SIGINT)
            line = process.stdout.readline()
            return process, re.search(r"http://localhost:\d+", line)[0]
        yield see


def test_zombies_are_drawn_then_another_stage_and_the_storm_again(see, page):
    page.open(see("3f", "--delay", "1")[1]).wait_for_start("3f")
    page.send(128)
    page.wait(lambda: len(page.processes(".zombie")) > 1 and len(page.processes(".sleeping")) == 1,
              "128 on 3f, and zombies")
    page.wait(lambda: "zombies" in page.text(".sentences"), "a sentence on them")
    zombies = page.processes(".zombie")
    storm = float(page.one("#time").get_attribute("value"))
    Select(page.one("#stage")).select_by_value("3g")
    page.wait_for_start("3g")
    assert not page.processes(".zombie"), "Another server, and it has no children yet."
    page.send(128)
    page.wait(lambda: "128" in page.text(".counter:last-child .figure")
              and len(page.processes(":not(.gone)")) == 1, "128 on 3g, all served, all reaped")
    assert not page.processes(".zombie")
    page.go_to(storm)
    assert page.processes(".zombie") == zombies, "Back at the storm, its zombies are drawn again."
    assert page.text(".server h2").startswith("3f ")
    page.press("#live")
    assert page.text(".server h2").startswith("3g ")
    assert "curl" in page.text("#done")


def test_one_pending_bit_for_many_deaths(see, page):
    page.open(see("3f", "--delay", "8")[1]).wait_for_start("3f")
    page.send(128)
    page.wait(lambda: len(page.processes(ALIVE)) > 60, "children at work")
    page.press("#freeze")
    page.wait(lambda: len(page.processes(ALIVE)) == page.count(".process.stopped") == 1,
              "the parent is stopped, all others have died")
    assert len(page.processes(".zombie")) > 20, "They died while it was stopped."
    assert page.count(".bit.pending") == 1
    assert "1 bit: SIGCHLD" in page.text(".signals")
    page.wait(lambda: page.text("#freeze") == "go on", "the button is for going on")
    page.press("#freeze")
    page.wait(lambda: not page.count(".process.stopped") and not page.count(".bit.pending"),
              "the parent goes on, and has heard of a death")
    assert len(page.processes(".zombie")) > 20, "Of one death, that is."


def test_two_side_by_side_under_the_same_storm(see, page):
    page.open(see("3f", "--delay", "1")[1]).wait_for_start("3f")
    Select(page.one("#beside")).select_by_value("3g")
    page.wait(lambda: page.count(".socket.listening") == 2, "two servers listen")
    page.send(128)
    served = ".server:nth-child({}) .counter:last-child .figure"
    page.wait(lambda: all(page.text(served.format(place)) == "128" for place in (1, 2)),
              "each has served 128")
    page.wait(lambda: page.count(".server:nth-child(1) .process.zombie"), "zombies on 3f")
    page.wait(lambda: not page.count(".server:nth-child(2) .process:not(.gone):not(.sleeping)")
              and page.count(".server:nth-child(2) .process:not(.gone)") == 1, "none on 3g")
    left, right = (page.one(f".server:nth-child({place})").rect for place in (1, 2))
    assert left["x"] + left["width"] <= right["x"], "They stand side by side."
    Select(page.one("#beside")).select_by_value("")
    page.wait(lambda: page.count(".server") == 1, "alone again")


def test_limits_and_delay_start_it_anew(see, page):
    page.open(see("3d", "--delay", "1")[1]).wait_for_start("3d")
    first = page.processes()
    assert not page.count(".meter"), "There is no limit yet."
    page.press("#limits")
    page.wait(lambda: page.count(".meter") == 2 and page.count(".socket.listening"),
              "descriptors and processes against their limits")
    assert page.processes(":not(.gone)").isdisjoint(first), "It was started anew."
    page.one("#delay").send_keys(Keys.CONTROL, "a", Keys.NULL, "0.2", Keys.TAB)
    page.wait(lambda: "DELAY=0.2" in page.text("#done"), "what was done, as a command")
    page.wait(lambda: page.count(".socket.listening"), "it listens again")
    page.send(300)
    page.wait(lambda: page.count(".counter.near") or page.count(".process.over"),
              "300 clients that hold on: descriptors near their limit, or the server's end")


def test_the_keyboard_is_enough(see, page):
    page.open(see("3j", "--delay", "1")[1]).wait_for_start("3j")
    page.wait(lambda: len(page.processes()) == 5, "four workers")
    go_by_keyboard_to(page, "#clients [data-count='10']")
    press_keys(page, Keys.ENTER)
    page.wait(lambda: page.text(".counter:last-child .figure") == "10", "ten are served")
    go_by_keyboard_to(page, "[data-pid][tabindex='0']")
    press_keys(page, Keys.ARROW_RIGHT, Keys.ENTER)
    page.wait(lambda: page.count("dialog[open]"), "what is known of a worker")
    killed = int(re.search(r"\d+", page.text("dialog h2"))[0])
    press_keys(page, Keys.ESCAPE)
    assert not page.count("dialog[open]")
    press_keys(page, Keys.ENTER)
    go_by_keyboard_to(page, "dialog .danger")
    press_keys(page, Keys.ENTER)
    page.wait(lambda: killed not in page.processes(":not(.gone)")
              and len(page.processes(":not(.gone)")) == 5, "it is killed, and replaced")
    go_by_keyboard_to(page, "#time")
    press_keys(page, Keys.HOME)
    page.wait(lambda: page.one("#live").get_attribute("aria-pressed") == "false", "in the past")
    assert float(page.text("#clock").removesuffix(" s")) < 2


def press_keys(page, *keys):
    ActionChains(page.driver).send_keys(*keys).perform()


def go_by_keyboard_to(page, selector):
    """Press Tab until the focus is there."""
    for _ in range(60):
        if page.script("return document.activeElement.matches(arguments[0])", selector):
            return
        press_keys(page, Keys.TAB)
    pytest.fail(f"60 times Tab, and the focus has not come to {selector}.")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(see, page, size, theme):
    page.emulate(size, theme)
    page.open(see("3c", "--delay", "1")[1]).wait_for_start("3c")
    page.send(10)
    page.wait(lambda: page.processes(".zombie"), "zombies")
    assert not axe(page)
    page.press("[data-pid]")
    assert not axe(page)


def axe(page):
    """What axe-core has to say against the page as it stands, as text; "" if nothing."""
    page.script((HERE / "vendor/axe.min.js").read_text())
    found = page.driver.execute_async_script(
        "axe.run().then(result => arguments[0](result.violations))")
    return "\n".join(f"{one['id']}: {one['help']}: {node['html']} {node['failureSummary']}"
                     for one in found for node in one["nodes"])


@pytest.mark.parametrize("size", SIZES)
def test_the_page_is_no_wider_than_its_window(served, page, size):
    page.emulate(size)
    page.open(f"{served}/?recording=moments/3f.jsonl")
    page.wait(lambda: page.processes(), "the recording")
    assert page.script("return document.documentElement.scrollWidth") <= SIZES[size][0]
    picture = page.one(".picture").rect
    assert picture["x"] + picture["width"] <= SIZES[size][0]
    assert size == "phone" or picture["y"] + picture["height"] <= 800, "All of it is in sight."


def test_nothing_moves_for_those_who_want_none(served, page):
    shows = "return getComputedStyle(document.querySelector('.process')).animationName"
    for motion, name in (("no-preference", "appear"), ("reduce", "none")):
        page.emulate(motion=motion)
        page.open(f"{served}/?recording=moments/3d.jsonl")
        page.wait(lambda: page.processes(), "the recording")
        page.press("#play")
        page.script("document.body.classList.add('moving')")
        assert page.script(shows) == name, f"prefers-reduced-motion: {motion}"


@pytest.fixture
def served(folder):
    """The page as GitHub Pages would have it: files, and no server of ours. Its address."""
    for path in [*STATIC.iterdir(), HERE / "moments"]:
        (folder / path.name).symlink_to(path)
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


def test_a_recording_is_replayed_without_any_server(served, page):
    page.open(f"{served}/?recording=moments/3d.jsonl")
    page.wait(lambda: page.processes(), "the recording")
    first = page.text("#clock")
    assert page.one("#time").is_displayed()
    assert not page.one("#clients").is_displayed(), "There is nobody to do it."
    page.press("#play")
    page.wait(lambda: page.processes(".zombie"), "it plays until there are zombies")
    assert page.text("#clock") != first


def test_the_page_alone_says_how_to_go_on(served, page):
    page.open(served)
    page.wait(lambda: page.one("#hint").is_displayed(), "what to do")
    assert "make see" in page.text("#hint")
    assert not page.one("#clients").is_displayed()


def test_a_server_of_the_reader_s_own(see, page):
    page.open(see("", "--server", "python part3/webserver3c.py")[1])
    page.wait(lambda: page.text(".server h2").startswith("your server ")
              and page.count(".socket.listening"), "it listens")
    assert page.script("return document.getElementById('stage').selectedOptions[0].text"
                       ) == "your server"
    page.send(1)
    page.wait(lambda: len(page.processes()) == 2, "a child")


def test_a_file_that_is_no_recording_is_refused_in_a_sentence(served, page, folder):
    (folder / "wrong.jsonl").write_text("{}\nno recording\n")
    page.open(served)
    page.one("#file").send_keys(str(folder / "wrong.jsonl"))
    page.wait(lambda: "no recording" in page.text("#note"), "a sentence that says so")
    page.one("#file").send_keys(str(HERE / "moments/3f.jsonl"))
    page.wait(lambda: page.processes(".zombie"), "one that is a recording")
    assert not page.text("#note")


def test_saved_as_a_page_it_replays_from_a_file(see, page, folder):
    process, address = see("3c", "--delay", "0.5")
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": str(folder)})
    page.open(address).wait_for_start("3c")
    page.send(10)
    page.wait(lambda: len(page.processes(".zombie")) == 10, "ten zombies")
    page.press("#save")
    page.press("#save-page")
    page.wait(lambda: {"recording.html", "recording.jsonl"}
              <= {path.name for path in folder.iterdir()}, "both files")
    header = json.loads((folder / "recording.jsonl").read_text().splitlines()[0])
    assert header["version"] == 1
    page.one("#file").send_keys(str(HERE / "moments/3j.jsonl"))
    page.wait(lambda: page.text(".server h2").startswith("3j "), "another recording, opened here")
    clock = page.text("#clock")
    page.wait(lambda: not page.one("#live").is_displayed(), "a recording is not live")
    assert page.text("#clock") == clock, "What its server still sees does not get into it."
    process.send_signal(signal.SIGINT)
    process.wait(30)
    page.open(f"file://{folder}/recording.html")
    page.wait(lambda: page.processes(), "the recording, from the file")
    page.go_to(1e6)
    assert len(page.processes(".zombie")) == 10
    assert page.script("return document.fonts.check('16px Inter')")


def test_the_page_s_server_ends_and_with_it_all_that_it_started(see, page):
    process, address = see("3j")
    page.open(address).wait_for_start("3j")
    page.wait(lambda: len(page.processes()) == 5, "four workers")
    pids = page.processes()
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert lab.eventually(lambda: not any(map(psutil.pid_exists, pids)), SOON), (
        "Ctrl-C has ended make see, and its server still runs.")
    page.wait(lambda: "has ended" in page.text("#note"), "the page says that its server has ended")
    page.press("#play")
    page.wait(lambda: page.processes() == pids, "what was recorded can still be seen")
