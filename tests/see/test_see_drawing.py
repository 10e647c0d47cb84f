"""The pictures of make see: each is worked out from one moment, so that node can do it alone.

The moments in moments/ were recorded from the real stages, a header and one or two of them a file.
"""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from functools import cache
from itertools import product
from pathlib import Path

import pytest

import lab

HERE = Path(__file__).parent
STATIC = lab.PROJECT / "notebooks/see/static"
MOMENTS = {path.stem: [json.loads(line) for line in path.read_text().splitlines()][1:]
           for path in sorted(HERE.glob("moments/*.jsonl"))}
WIDTHS = {"phone": 358, "half": 480, "laptop": 950}
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


def draw(moment, width=WIDTHS["laptop"], **more):
    """The pictures of a moment, one for each server, as elements of XML."""
    return draw_all([{"moment": moment, "width": width, **more}])[0]


def draw_all(wanted):
    told = subprocess.run(["node", HERE / "draw.mjs"], input=json.dumps(wanted), text=True,
                          capture_output=True, check=True, timeout=50).stdout
    return [[ElementTree.fromstring(text) for text in texts] for texts in json.loads(told)]


@cache
def pictures():
    """The last moment of each recording in each width: {("3f", 358): [picture], ...}."""
    keys = list(product(MOMENTS, WIDTHS.values()))
    drawn = draw_all([{"moment": last(name), "width": width} for name, width in keys])
    return dict(zip(keys, drawn, strict=True))


def with_class(picture, *names):
    """The elements of a picture that have all these classes."""
    return [found for found in picture.iter() if {*names} <= {*found.get("class", "").split()}]


def words_of(*elements):
    return " ".join("".join(element.itertext()) for element in elements)


def last(name):
    return MOMENTS[name][-1]


def server_of(moment):
    return moment["servers"][0]


@needs_node
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", MOMENTS)
def test_each_process_is_drawn_once_and_with_its_state(name, width):
    moment = last(name)
    picture, = pictures()[name, width]
    drawn = {int(found.get("data-pid")): found.get("class")
             for found in with_class(picture, "process") if found.get("data-pid")}
    seen = {one["pid"]: one["state"] for one in server_of(moment)["processes"]}
    assert drawn.keys() == seen.keys(), f"{name}: drawn are {len(drawn)}, seen were {len(seen)}."
    for pid, state in seen.items():
        assert state in drawn[pid].split(), f"{pid} is {state}, and drawn as {drawn[pid]!r}."


@needs_node
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", MOMENTS)
def test_each_held_connection_is_drawn_once_with_a_line_for_each_holder(name, width):
    moment = last(name)
    picture, = pictures()[name, width]
    held = [one for one in server_of(moment)["connections"] if one["held_by"]]
    keys = [found.get("data-key") for found in picture.iter()
            if found.get("class", "").split()[:1] == ["dot"]
            or {"socket", "connection"} <= {*found.get("class", "").split()}]
    for one in held:
        assert keys.count(str(one["foreign"][1])) == 1, f"{one['foreign']} is not drawn once."
    lines = sum(int(line.get("data-count")) for line in with_class(picture, "line", "connection"))
    assert lines == sum(len(one["held_by"]) for one in held)


@needs_node
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", MOMENTS)
def test_nothing_sticks_out_of_a_picture(name, width):
    picture, = pictures()[name, width]
    for found in picture.iter():
        if found.tag == "rect":
            left, wide = float(found.get("x")), float(found.get("width"))
            assert left >= -1, f"{found.attrib} begins left of the picture."
            assert left + wide <= width + 1, f"{found.attrib} ends right of {width}."
            bottom = float(found.get("y")) + float(found.get("height"))
            assert bottom <= float(picture.get("height")), f"{found.attrib} ends too low."


@needs_node
def test_the_same_moment_is_the_same_picture():
    moment = last("3f")
    one, other = (ElementTree.tostring(draw(moment)[0]) for _ in range(2))
    assert one == other


@needs_node
def test_clients_stand_in_the_queue_and_outside():
    moment = last("3b")
    picture, = draw(moment)
    queue = server_of(moment)["queue"]
    assert queue["waiting"] > 3, "In the recorded moment clients wait."
    assert len(with_class(picture, "client", "queued")) == queue["waiting"]
    assert len(with_class(picture, "place")) == queue["backlog"] + 1
    assert len(with_class(picture, "place", "extra")) == 1
    assert "backlog 5" in words_of(picture)
    outside = [one for one in server_of(moment)["connections"] if one["state"] == "SYN_RECV"]
    assert len(with_class(picture, "client", "outside")) == max(len(outside), queue["outside"])


@needs_node
def test_connections_that_the_parent_keeps_have_a_line_from_it():
    moment = last("3d")
    server = server_of(moment)
    picture, = draw(moment)
    kept = [one for one in server["connections"] if one["held_by"] == [server["pid"]]]
    assert len(kept) == server["counts"]["zombies"] == 4, "Gone, and nothing is closed."
    assert len(with_class(picture, "line", "connection")) == 4
    assert len(with_class(picture, "process", "zombie")) == 4
    assert words_of(*with_class(picture, "socket", "connection")).count("ESTABLISHED") == 8


@needs_node
def test_a_connection_with_two_holders_says_so():
    picture, = draw(MOMENTS["3d"][0])
    assert "2 holders" in words_of(picture)


@needs_node
def test_one_bit_is_drawn_for_many_deaths():
    moment = last("frozen")
    picture, = draw(moment)
    assert server_of(moment)["counts"]["zombies"] > 100
    assert len(with_class(picture, "bit")) == 31
    assert len(with_class(picture, "bit", "pending")) == 1
    assert "1 bit: SIGCHLD" in words_of(picture)
    assert with_class(picture, "process", "stopped")


@needs_node
def test_workers_share_one_listening_socket():
    picture, = draw(last("3j"))
    assert len(with_class(picture, "socket", "listening")) == 1
    assert len(with_class(picture, "line", "listening")) == 5, "the parent's and four workers'"


@needs_node
def test_one_process_holds_many_connections():
    moment = last("3k")
    picture, = draw(moment)
    count = sum(bool(one["held_by"]) for one in server_of(moment)["connections"])
    line, = with_class(picture, "line", "connection")
    assert count >= 60
    assert line.get("data-count") == str(count)
    assert "no children" in words_of(picture)


@needs_node
def test_what_is_known_from_the_log_only_is_drawn_as_such():
    moment = json.loads(json.dumps(last("3g")))
    for one in server_of(moment)["processes"][-3:]:
        one.update(seen="log", role="gone", state="gone", was="child", age=None)
    picture, = draw(moment)
    assert len(with_class(picture, "process", "log")) == 3
    assert "3 in the log only" in words_of(picture)


@needs_node
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_server_of_which_little_is_known_is_drawn(width):
    little = {"time": 1, "servers": [{
        "name": "your server", "idea": "", "processes": [], "queue": None, "connections": [],
        "requests": [], "limits": None, "counts": {}, "running": False, "exit_status": 1}]}
    picture, = draw(little, width)
    assert "the server has ended" in words_of(picture)
    assert "exit status 1" in words_of(picture)


@needs_node
def test_time_goes_on_within_a_moment():
    moment = last("3c")
    age = server_of(moment)["processes"][0]["age"]
    picture, = draw(moment, time=moment["time"] + 100)
    assert f"up {age + 100:.0f} s" in words_of(picture)


@needs_node
def test_no_text_of_a_server_becomes_markup():
    moment = json.loads(json.dumps(last("3c")))
    server_of(moment)["processes"][0]["call"] = '<b onclick="x">'
    picture, = draw(moment)
    assert "<b onclick" in words_of(picture)
    assert not [found for found in picture.iter() if found.tag == "b"]


@needs_node
def test_an_hour_of_looks_does_not_grow_a_page():
    told = subprocess.run(["node", HERE / "hour.mjs"], capture_output=True, text=True, check=True,
                          timeout=50).stdout
    seen = json.loads(told)
    assert seen["kept"] < 2100, f"Of 28,800 moments with 129 processes {seen['kept']} are kept."
    assert seen["kept"] > 1000
    assert seen["last"] == 3600, "The latest is there."
    assert seen["ordered"]
    assert seen["deeds"] == 29, "What was done is all there."


def colours(theme):
    """{"paper": "#fdfcfa", ...} of the style's light or dark colours."""
    style = (STATIC / "style.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[theme == "dark"]))


def brightness(colour):
    """Relative luminance as in WCAG 2.2."""
    parts = [int(colour[start:start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                        for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted([brightness(one), brightness(other)])
    return (high + 0.05) / (low + 0.05)


TEXTS = [*product(["ink", "muted"], ["paper", "card", "ground", "kernel"]),
         *product(["zombie", "muted", "ink"], ["zombie-wash"]), ("zombie", "paper"),
         ("zombie", "ground"), ("zombie", "card"),
         *product(["stopped", "muted", "ink"], ["stopped-wash"]),
         *product(["run", "muted", "ink"], ["run-wash"]), ("listening", "listening-wash"),
         ("connection", "connection-wash"), ("card", "connection")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_in_a_picture_has_contrast(theme):
    found = colours(theme)
    weak = {pair: round(contrast(found[pair[0]], found[pair[1]]), 2) for pair in TEXTS
            if contrast(found[pair[0]], found[pair[1]]) < 4.5}
    assert not weak, f"{theme}: WCAG asks for 4.5 between text and what it stands on: {weak}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_in_a_picture_have_contrast(theme):
    found = colours(theme)
    weak = {(line, ground): round(contrast(found[line], found[ground]), 2)
            for line in ("listening", "connection", "zombie", "stopped", "run", "muted")
            for ground in ("ground", "kernel", "paper")
            if contrast(found[line], found[ground]) < 3}
    assert not weak, f"{theme}: WCAG asks for 3 between a line and its ground: {weak}"


@needs_node
@pytest.mark.parametrize("width", [620, 660, 700, WIDTHS["laptop"]])
def test_the_legend_of_the_requests_stands_clear_of_their_caption(width):
    """"requests" ends 66 pixels from the left. Where there is no room for both, there is none."""
    picture, = draw(last("3d"), width)
    for legend in with_class(picture, "legend"):
        lefts = [float(found.get("x")) for found in legend.iter() if found.tag == "rect"]
        assert min(lefts) > 70, f"At {width} the legend begins at {min(lefts)}."
    assert with_class(picture, "legend") or width < WIDTHS["laptop"]
