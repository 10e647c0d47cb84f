"""The journey of a reader through the stages: make start, check, hint, watch, list, solution."""

import fcntl
import json
import math
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress

import psutil
import pytest
from rich.text import Text

import lab
from tests.grader.grading import questions
from tests.grader.languages import LANGUAGES
from tests.helpers.scripts import linux_only, needs, one_of_each
from tests.spec.stages import STAGES

PROGRAMS = {"python": "python3", "c": "cc", "go": "go", "node": "node", "ruby": "ruby",
            "perl": "perl"}
HELLO = (lab.PROJECT / "part1/webserver1.py").read_text()


@pytest.fixture
def make(clone):
    """make("check", "STAGE=3c") types this in a clone; its CompletedProcess."""
    def make(*words, typed="", **environment):
        return subprocess.run(["make", *words], capture_output=True, text=True, timeout=60,
                              cwd=clone, env={**os.environ, **environment}, input=typed,
                              check=False)
    return make


def write(clone, name, text):
    (clone / "my").mkdir(exist_ok=True)
    (clone / "my" / name).write_text(text)


def progress(clone):
    return json.loads((clone / "my/.progress.json").read_text())


def passed_hello(clone, make):
    """Have stage 1 passed, with our code."""
    write(clone, "webserver1.py", HELLO)
    assert "Stage 1 is passed" in make("check", "STAGE=1").stdout


# A track for each language.


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_file_of_a_language_runs_and_says_what_is_missing(language, clone, make):
    if not shutil.which(PROGRAMS[language]):
        pytest.skip(f"{PROGRAMS[language]} is not installed")
    suffix = LANGUAGES[language].suffix
    assert f"my/webserver1{suffix} is there." in make("start", f"LANG={language}").stdout
    assert sorted(os.listdir(clone / "my")) == [".progress.json", f"webserver1{suffix}"]
    shown = make("check").stdout
    assert re.search(r"Nothing listens on\s+127.0.0.1:\d+ yet", shown), shown
    assert "1 of " in shown or "0 of " in shown


def test_language_of_the_shell_is_no_language_of_the_track(clone, make):
    make("start", LANG="C.UTF-8")
    assert (clone / "my/webserver1.py").exists()
    assert progress(clone)["language"] == "python"


@needs("perl")
def test_language_of_the_track_is_no_language_of_the_shell(make):
    """Perl complains of a LANG that the system does not have."""
    make("start", "LANG=perl")
    assert "locale" not in make("check", "LANG=perl").stdout


def test_language_is_remembered_and_the_reader_s_own_file_goes_along(clone, make):
    make("start", "LANG=C")
    write(clone, "webserver1.c", "int mine;\n")
    told = make("start", "STAGE=3A").stdout
    assert "my/webserver3a.c is there, a copy of your my/webserver1.c." in told
    assert "five clients queue while one is served" in told
    assert "    cc -Wall -pthread -o my/webserver3a my/webserver3a.c\n    ./my/webserver3a" in told
    assert (clone / "my/webserver3a.c").read_text() == "int mine;\n"
    write(clone, "webserver3a.c", "int other;\n")
    told = make("start", "STAGE=3a").stdout
    assert "my/webserver3a.c is there already, and stays as it is." in told
    assert "five clients queue" in told
    assert (clone / "my/webserver3a.c").read_text() == "int other;\n"


def test_old_progress_goes_on(clone, make):
    write(clone, ".progress.json",
          '{"passed": ["1", "2"], "last": "2", "missing": [], "hints": {}}')
    assert "my/webserver3a.py is there" in make("start").stdout
    assert progress(clone)["passed"] == ["1", "2"]
    assert progress(clone)["language"] == "python"


def test_progress_with_nonsense_in_it_is_read_as_far_as_it_makes_sense(clone, make):
    write(clone, ".progress.json", '{"passed": ["1"], "language": "cobol", "at": 7, "servers": 3}')
    assert "my/webserver2.py is there" in make("start").stdout
    assert progress(clone)["passed"] == ["1"]


def test_unknown_language_lists_those_there_are(make):
    said = make("start", "LANG=cobol")
    assert said.stderr.startswith("There are no files to start with in cobol. There are for python")


def test_stage_that_a_language_leaves_out_is_not_begun(clone, make):
    said = make("start", "STAGE=3c", "LANG=go")
    assert said.stderr == ("Stage 3c is left out in Go: Go has no fork. The stages in Go are 1, "
                           "3a, 3b, 3i, 3k.\n")
    assert not (clone / "my").exists() or not os.listdir(clone / "my")


@pytest.mark.parametrize(("language", "follows"), [
    ("go", "3i"), ("c", "3c"), ("node", "3k"), ("python", "3c")])
def test_a_language_s_next_stage_is_one_that_it_has(language, follows, clone, make):
    write(clone, ".progress.json", json.dumps(
        {"passed": ["1", "2", "3a", "3b"], "last": "3b", "language": language}))
    suffix = LANGUAGES[language].suffix
    assert f"my/webserver{follows}{suffix} is there" in make("start").stdout


def test_list_has_a_line_for_each_stage(clone, make):
    write(clone, ".progress.json", json.dumps({"passed": ["1"], "last": "1", "language": "go"}))
    make("start", "STAGE=3b")
    lines = make("list", PYTHONIOENCODING="utf-8").stdout.splitlines()
    named = {name: next(line for line in lines if re.match(rf"..[★– ] {name} ", line))
             for name in STAGES}
    assert named["1"].startswith("  ★ 1 ")
    assert named["3b"].startswith("→   3b ")
    assert named["3a"].startswith("    3a ")
    assert named["3c"] == "  – 3c  Go has no fork"
    assert named["3z"] == "  – 3z  WSGI is for Python alone"


# Programs that are built.

PROMISE = '#include "nothing_of_this_name.h"\nint main(void) { return 0; }\n'


@needs("cc")
def test_what_the_compiler_says_is_shown_as_it_says_it(clone, make):
    make("start", "LANG=c")
    write(clone, "webserver1.c", PROMISE)
    said = subprocess.run(["cc", "-Wall", "-pthread", "-o", "my/webserver1", "my/webserver1.c"],
                          cwd=clone, capture_output=True, text=True, check=False).stderr
    shown = make("check").stdout
    assert "nothing_of_this_name.h" in said
    assert said in shown
    assert "It does not compile." in shown.splitlines()[-1]


@needs("cc")
def test_program_that_does_not_compile_is_a_report_for_programs_too(clone, make):
    make("start", "LANG=c")
    write(clone, "webserver1.c", PROMISE)
    ended = make("check", "JSON=1")
    report = json.loads(ended.stdout)
    assert (ended.returncode, report["passed"]) == (2, False)
    assert "nothing_of_this_name.h" in report["results"][0]["seen"]


@needs("cc")
def test_server_in_c_is_built_and_passes_and_its_track_goes_on(clone, make):
    make("start", "LANG=c")
    shutil.copy(lab.PROJECT / "tests/helpers/hello.c", clone / "my/webserver1.c")
    shown = make("check").stdout
    assert "Stage 1 is passed" in shown, shown
    assert "Next is 3a: one client at a time" in shown
    assert f"1 of {len(LANGUAGES['c'].stages)} stages" in shown


# From stage to stage.


def test_check_without_a_stage_follows_the_last_start(clone, make):
    make("start", "STAGE=3b")
    make("check", "STAGE=1")
    assert make("check").stdout.startswith("Stage 3b: ")


def test_task_and_the_reader_s_own_code_are_in_the_new_file(clone, make):
    passed_hello(clone, make)
    own = HELLO.replace("def listen():", "def listen():  # as I like it")
    write(clone, "webserver1.py", own)
    told = make("start", "STAGE=3a").stdout
    assert "my/webserver3a.py is there, a copy of your my/webserver1.py." in told
    assert "cp " not in told
    text = (clone / "my/webserver3a.py").read_text()
    assert text.startswith('"""Stage 3a, mine.\n\nThis is the code of my/webserver1.py.')
    assert text.endswith(own.split('"""\n', 2)[-1])

    os.remove(clone / "my/webserver3a.py")
    make("start", "STAGE=3a", "OURS=1")
    assert "as I like it" not in (clone / "my/webserver3a.py").read_text()


def test_code_that_is_not_passed_is_not_gone_on_from(clone, make):
    write(clone, "webserver1.py", "print('no server')\n")
    assert "with the code of part1/webserver1.py" in make("start", "STAGE=3a").stdout


def test_star_stays_and_what_was_lost_is_said(clone, make):
    passed_hello(clone, make)
    write(clone, "webserver1.py", "print('no server')\n")
    lost = make("check", "STAGE=1").stdout
    assert "Stage 1 had been passed: its star stays" in lost
    assert progress(clone)["passed"] == ["1"]


def test_last_line_of_a_failed_check_is_ours(make):
    make("start")
    ended = make("check")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "make: ***" not in ended.stdout
    for_programs = make("check", "JSON=1")
    assert for_programs.returncode == 2
    assert json.loads(for_programs.stdout)["passed"] is False


@pytest.mark.thorough
def test_server_is_remembered_until_the_stage_is_begun(clone, make):
    shutil.copy(lab.PROJECT / "part1/webserver1.py", clone / "hello.py")
    server = f"{sys.executable} hello.py"
    make("check", "STAGE=1", f"SERVER={server}")
    assert "hello.py" in make("check", "STAGE=1").stdout.splitlines()[1]
    assert "hello.py" in make("check", "STAGE=3a").stdout.splitlines()[1]
    make("start", "STAGE=1")
    assert "my/webserver1.py" in make("check").stdout.splitlines()[1]


@pytest.mark.thorough
def test_all_that_was_passed_is_asked_again(clone, make):
    assert "No stage is passed yet" in make("check", "ALL=1").stderr
    passed_hello(clone, make)
    assert make("check", "ALL=1").stdout.endswith("The stage that was passed still is.\n")
    write(clone, "webserver1.py", "print('no server')\n")
    shown = make("check", "ALL=1").stdout
    assert shown.startswith("✗ 1   starts, and listens where PORT and HOST say")
    assert shown.endswith("The stars stay. To see more: make check STAGE=1\n")
    reports = json.loads(make("check", "ALL=1", "JSON=1").stdout)
    assert [(report["stage"], report["passed"]) for report in reports] == [("1", False)]


def test_one_question_is_shown_with_all_that_was_said(clone, make):
    write(clone, "webserver1.py", HELLO)
    shown = make("check", "STAGE=1", "ONLY=ends_the_connection").stdout
    assert "      sent      'GET /hello HTTP/1.1\\r\\n'\n" in shown
    assert "      received  'HTTP/1.1 200 OK\\r\\n'\n                '\\r\\n'\n" in shown
    assert "      the server closed the connection\n" in shown
    assert re.search(r"the server on port (\d+) printed\n      Serving HTTP on port \1 \.\.\.\n"
                     r"      GET /hello HTTP/1.1\n", shown), shown
    assert "✓ ends the connection" in shown
    assert "✓ answers" not in shown
    assert not (clone / "my/.progress.json").exists()


def test_question_that_a_stage_is_not_asked_lists_those_it_is(clone, make):
    write(clone, "webserver1.py", HELLO)
    said = make("check", "STAGE=1", "ONLY=stopps").stderr
    for question in questions(STAGES["1"]):
        assert f"    {question.name} " in said


# The solution.


def test_solution_is_shown_to_who_is_sure_and_code_comes_first(clone, make):
    make("start", "STAGE=3a")
    asked = make("solution", typed="\n")
    assert asked.stdout.endswith("[y/N] ")
    assert asked.stderr.startswith("Not shown. make hint")
    shown = make("solution", typed="yes\n").stdout.partition("[y/N] ")[2]
    diff, _, text = shown.partition("\nWhat part3/webserver3a.py says of it:\n")
    assert "-REQUEST_QUEUE_SIZE = 1\n+REQUEST_QUEUE_SIZE = 5\n" in diff
    assert '"""' not in diff
    assert "The iterative server: one client at a time" in text


@pytest.mark.thorough
def test_solution_of_a_stage_that_is_passed_is_not_asked_for_twice(clone, make):
    passed_hello(clone, make)
    assert make("solution", "STAGE=1").stdout == "They are the same.\n"


def test_solution_for_a_server_in_another_language_is_the_idea_alone(make):
    make("start", "STAGE=3c", "LANG=c")
    shown = make("solution", typed="y\n").stdout
    assert "--- part3/webserver3b.py\n+++ part3/webserver3c.py\n" in shown
    assert "+        pid = os.fork()" in shown


# make watch on a terminal.

CONTROLS = ("import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "os.execvp(sys.argv[1], sys.argv[1:])")  # the terminal's Ctrl-C reaches us then
CLEAR = "\x1b[2J"
READY = "q quit"


class Terminal:
    """A terminal of so many lines and columns, with a command in it that has keys and screen."""

    def __init__(self, command, cwd, lines, columns):
        self.lines, self.columns, self.said = lines, columns, ""
        self.ours, self.its = pty.openpty()
        self.resize(lines, columns)
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLS, *command], cwd=cwd, stdin=self.its, stdout=self.its,
            stderr=self.its, start_new_session=True,
            env={**environment, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"})

    def resize(self, lines, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def see(self, words, within=50):
        """What is said up to these words and the end of their line; it is seen only once."""
        deadline = time.monotonic() + within
        while not re.search(f"{words}.*\n", self.said):
            assert time.monotonic() < deadline, f"No {words!r} came; what came is {self.said}"
            if select.select([self.ours], [], [], 0.2)[0]:
                self.said += os.read(self.ours, 65536).decode(errors="replace")
        end = re.search(f"{words}.*\n", self.said).end()
        seen, self.said = self.said[:end], self.said[end:]
        return seen

    def screen(self):
        """The lines of the next whole screen, without colours."""
        text = self.see(READY).split(CLEAR)[-1].replace("\r", "").removesuffix("\n")
        return [Text.from_ansi(line).plain for line in text.split("\n")]

    def press(self, key):
        os.write(self.ours, key.encode())

    def is_as_it_was(self):
        """Whether it shows what is typed, and hands it on by the line, and Ctrl-C is a signal."""
        flags = termios.tcgetattr(self.its)[3]
        return all(flags & each for each in (termios.ECHO, termios.ICANON, termios.ISIG))

    def must_take_keys(self):
        assert lab.eventually(lambda: not self.is_as_it_was(), 20), "It never takes keys."

    def rows(self, lines):
        return sum(max(1, math.ceil(len(line) / self.columns)) for line in lines)


@pytest.fixture
def terminal(clone):
    """terminal("make watch") opens one; it is gone after the test, with all that runs in it."""
    opened = []

    def terminal(command, lines=24, columns=80):
        opened.append(Terminal(["bash", "-c", command], clone, lines, columns))
        return opened[-1]

    yield terminal
    for each in opened:
        with suppress(psutil.NoSuchProcess):  # it may end at any time
            started = psutil.Process(each.process.pid).children(recursive=True)
            each.process.kill()
            for process in started:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        each.process.wait()
        os.close(each.ours)
        os.close(each.its)


@pytest.mark.parametrize(("lines", "columns"), one_of_each(
    lambda lines, columns: "a screen", [(24, 80), (12, 60), (60, 140)]))
def test_watch_fits_the_screen_and_shows_the_failure_first(lines, columns, clone, make, terminal):
    make("start", "STAGE=3c")  # it does not fork yet
    watching = terminal("make watch", lines, columns)
    shown = watching.screen()
    assert watching.rows(shown) < lines, shown
    assert shown[0].startswith("Stage 3c: fork")
    first = next(line for line in shown if "✗" in line or "○" in line)
    assert shown.index(first) <= 3
    assert "done" in shown[shown.index(first) + 1]
    assert not any("✓" in line for line in shown)


def test_keys_of_watch(clone, make, terminal):
    make("start")
    watching = terminal("make watch")
    assert "✗ starts" in "\n".join(watching.screen())
    watching.must_take_keys()
    watching.press("h")
    assert "Hint 1 of 3, on: starts" in "\n".join(watching.screen())
    watching.press("h")
    assert "Hint 2 of 3, on: starts" in "\n".join(watching.screen())
    watching.press("l")
    listed = watching.screen()
    assert any(line.startswith("→   1 ") for line in listed)
    assert watching.rows(listed) < 24
    watching.press(" ")
    assert "✗ starts" in "\n".join(watching.screen())
    watching.press("n")
    assert "my/webserver2.py is there" in "\n".join(watching.screen())
    assert progress(clone)["at"] == "2"
    watching.press("q")
    assert watching.process.wait(20) == 0
    assert watching.is_as_it_was()


@pytest.mark.thorough
def test_watch_shows_the_list_around_where_one_is(clone, make, terminal):
    make("start", "STAGE=3y")
    write(clone, "webserver3y.py", "print('no server')")
    watching = terminal("make watch", lines=12)
    watching.screen()
    watching.press("l")
    listed = watching.screen()
    assert any(line.startswith("→   3y ") for line in listed), listed
    assert watching.rows(listed) < 12


def test_watch_goes_on_to_the_next_stage_by_itself(clone, make, terminal):
    make("start")
    watching = terminal("make watch")
    watching.screen()
    write(clone, "webserver1.py", HELLO)
    watching.see("Stage 1 is passed")
    shown = "\n".join(watching.screen())
    assert "Stage 2: WSGI" in shown
    assert "runs a WSGI application" in shown
    assert "my/webserver1.py" in (clone / "my/webserver2.py").read_text()
    write(clone, "webserver2.py", "print('no server')\n")
    assert watching.screen()[0].startswith("Stage 2: ")


@pytest.mark.thorough
@needs("cc")
def test_what_watch_builds_is_no_file_that_was_saved(clone, make, terminal):
    make("start", "LANG=c")
    watching = terminal("make watch")
    watching.screen()
    write(clone, "webserver1.c", PROMISE)
    assert "nothing_of_this_name.h" in "\n".join(watching.screen())
    write(clone, "webserver1.c", "int main(void) { return 0; }\n")
    assert "before it listened" in " ".join(watching.screen())
    with pytest.raises(AssertionError, match="No 'q quit' came"):
        watching.see(READY, within=3)


@pytest.mark.thorough
@pytest.mark.parametrize("end", ["\x03", "\x1c", "SIGINT", "SIGTERM"])
def test_terminal_is_as_it_was_however_watch_ends(end, clone, make, terminal):
    make("start")
    watching = terminal("make watch")
    watching.screen()
    watching.must_take_keys()
    if end in ("SIGINT", "SIGTERM"):
        grader(watching).send_signal(signal.Signals[end])
    else:
        watching.press(end)
    watching.process.wait(20)
    assert watching.is_as_it_was()


def grader(terminal):
    """The process of make watch that has the keys."""
    return next(process for process in
                psutil.Process(terminal.process.pid).children(recursive=True)
                if "tests.grader" in process.cmdline() and process.name() != "sh")


@pytest.mark.thorough
@linux_only
def test_ctrl_c_in_the_middle_of_a_check_ends_watch(clone, make, terminal):
    write(clone, "webserver1.py", "import time; time.sleep(60)")
    make("start", "STAGE=1")
    watching = terminal("make watch")
    watching.see("Asking")
    assert watching.is_as_it_was()
    watching.press("\x03")
    watching.process.wait(20)
    assert watching.is_as_it_was()


@pytest.mark.thorough
def test_ctrl_z_gives_the_terminal_back_and_fg_goes_on(clone, make, terminal):
    make("start")
    watching = terminal("set -m; make watch; echo it sto''pped; read -r _; fg; echo it en''ded")
    watching.screen()
    watching.press("\x1a")
    watching.see("it stopped")
    assert watching.is_as_it_was()
    watching.press("\n")
    assert "✗ starts" in "\n".join(watching.screen())
    watching.must_take_keys()
    watching.press("q")
    watching.see("it ended")
    assert watching.is_as_it_was()


@pytest.mark.thorough
def test_watch_draws_again_when_the_window_has_another_size(clone, make, terminal):
    make("start")
    watching = terminal("make watch")
    watching.screen()
    watching.resize(12, 60)
    watching.columns = 60
    assert watching.rows(watching.screen()) < 12
