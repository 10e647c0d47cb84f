"""make check: it passes what is right, names what is wrong, and leaves nothing behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import lab
from tests.grader import hints
from tests.grader.beginning import PYTHON, beginning, places
from tests.grader.causes import CAUSES
from tests.grader.commands import shells_line
from tests.grader.grading import WORDS, Question, ask, grade, missing, questions
from tests.grader.progress import NOTHING, next_stage
from tests.helpers.scripts import every_stage, linux_only, needs, one_of_each
from tests.spec.stages import (
    FOR_APPLICATIONS,
    LESSONS,
    ORDER,
    PROPERTIES,
    SHOWN,
    STAGES,
    TRACK_OF,
    TRACKS,
)
from tests.spec.subject import Subject

WRONG = lab.PROJECT / "tests/wrong"
NODE = ["node", str(WRONG / "server.js")]


# What is asked, and of whom.


def telling(one, other):
    """What `other` is asked for and `one` lacks, by the table; the quick questions first."""
    slow = ["holds_5000_idle", "lives_without_processes", "leaves_no_zombie_after_128"]
    lacking = [Question("starts", "start")] * (one.wsgi and not other.wsgi)
    for question in questions(other):
        has = {"property": question.name not in one.faults, "lesson": question.name in one.lessons,
               "show": question.name in one.faults and question.name not in other.excuses}
        if not has.get(question.kind, True):
            lacking.append(question)
    return sorted(lacking, key=lambda question: question.name in slow)


@pytest.mark.parametrize("stage", one_of_each(
    lambda stage: TRACK_OF[stage.name], reversed(STAGES.values())), ids=lambda stage: stage.name)
def test_our_stage_passes_its_own_check(stage):
    results = grade(stage, lab.stage_command(stage.name))
    wrong = [(result.question.name, result.verdict, str(result.fault)) for result in results
             if not result.good]
    assert not wrong, wrong


def pairs():
    """A stage and one after it. Of the later tracks those that the table tells apart: what other
    steps add is tested by part2 and part3."""
    early = TRACKS["The series"] + TRACKS["Other models"]
    for number, one in enumerate(early, 1):
        yield from ((one, other) for other in early[number:])
    for track in (TRACKS["The complete server"], TRACKS["The server to use"]):
        for number, other in enumerate(track):
            for one in {STAGES[other].parent, *track[:number]}:
                if telling(STAGES[one], STAGES[other]):
                    yield one, other


@pytest.mark.parametrize(("one", "other"), one_of_each(lambda one, other: other, sorted(
    pairs(), key=lambda pair: (pair[0] != STAGES[pair[1]].parent, pair))))
def test_our_stage_fails_the_check_of_one_after_it(one, other):
    """One question that goes wrong is enough; the table says which may."""
    one, other = STAGES[one], STAGES[other]
    subject = Subject(lab.stage_command(one.name), other.arguments, patience=1)
    lacking = telling(one, other)
    assert any(not ask(question, other, subject).good for question in lacking), (
        f"Asked as stage {other.name}, stage {one.name} lacks nothing of {lacking}.")


def test_every_question_is_asked_in_a_report():
    asked = {question.name for stage in STAGES.values() for question in questions(stage)}
    assert asked == set(WORDS) - later(), asked


def later():
    """What no stage of the table has yet."""
    stages = STAGES.values()
    return ({name for name in PROPERTIES if all(name in stage.faults for stage in stages)}
            | {name for name in LESSONS if not any(name in stage.lessons for stage in stages)})


def test_cause_is_hinted_at_before_what_comes_of_it():
    """As stage 3f, 3e dies of EINTR wherever one looks."""
    subject = Subject(lab.stage_command("3e"), patience=1)
    results = [ask(question, STAGES["3f"], subject) for question in questions(STAGES["3f"])
               if question.name in ("survives_silent_client", "lives_through_signal")]
    assert [question.name for question in missing(results)] == [
        "lives_through_signal", "survives_silent_client"]


@pytest.mark.parametrize(("server", "seen"), [
    (["/no/such/server"], "Cannot start /no/such/server: .*No such file"),
    (["sh", "-c", "exit 3"], "ended with status 3 before it listened. It printed nothing"),
])
def test_server_that_cannot_start_is_one_fault(server, seen):
    results = grade(STAGES["1"], server)
    assert [result.question.name for result in results] == ["starts"]
    assert re.search(seen, results[0].fault.seen)


@needs("node")
def test_server_without_fork_is_told_what_to_pass_over():
    subject = Subject(NODE, patience=1)
    result = ask(Question("a_process_for_each", "lesson"), STAGES["3c"], subject)
    assert result.verdict == "no"
    assert "Node.js have no fork" in hints.hints(result.question)[0]


@needs("node")
def test_server_in_another_language_is_told_that_stage_2_is_for_python():
    """It says hello, whatever application it is given; nothing else is asked then."""
    results = grade(STAGES["2"], NODE)
    assert [question.name for question in missing(results)] == ["runs_wsgi"]
    assert "WSGI is an interface of Python" in hints.hints(missing(results)[0])[0]
    assert "passes this stage over" in hints.hints(missing(results)[0])[0]


def test_every_wsgi_stage_is_asked_what_it_does_for_an_application():
    for stage in STAGES.values():
        asked = [question.name for question in questions(stage) if question.kind == "application"]
        assert asked == (list(FOR_APPLICATIONS) if stage.wsgi else [])


def test_a_stage_is_asked_for_the_steps_up_to_it():
    def steps(name):
        return [question.name for question in questions(STAGES[name]) if question.kind == "step"]

    assert (steps("2"), steps("3h"), steps("3l")) == ([], [], [])
    assert steps("2d") == ["step_2b", "step_2c", "step_2d"]
    assert steps("3m") == steps("2i")  # which it is made of
    assert "step_2j" in steps("2j")


def test_fault_that_does_not_show_is_not_passed():
    subject = Subject(lab.stage_command("3g"), patience=1)
    result = ask(Question("leaves_no_zombie_after_one", "show"), STAGES["3c"], subject)
    assert (result.verdict, result.good) == ("not shown", False)


@linux_only
def test_fault_that_a_language_hides_is_shown_by_what_is_behind_it():
    subject = Subject(lab.stage_command("3g"), patience=1)
    result = ask(Question("lives_through_signal", "show"), STAGES["3e"], subject)
    assert (result.verdict, result.good) == ("shown", True)
    assert "slept in accept when its child ended" in result.reason
    assert "PEP 475" in result.reason


@linux_only
def test_fault_that_a_language_hides_is_not_shown_without_a_handler():
    subject = Subject(lab.stage_command("3c"), patience=1)
    result = ask(Question("lives_through_signal", "show"), STAGES["3e"], subject)
    assert (result.verdict, result.good) == ("not shown", False)
    assert "no handler for SIGCHLD" in result.fault.seen


def test_fault_that_a_language_hides_is_excused_where_one_cannot_see(monkeypatch):
    def cannot_see(pid):
        raise lab.CannotSee("no /proc")

    monkeypatch.setattr(lab, "caught_signals", cannot_see)
    subject = Subject(lab.stage_command("3g"), patience=1)
    result = ask(Question("lives_through_signal", "show"), STAGES["3e"], subject)
    assert (result.verdict, result.good) == ("excused", True)
    assert "PEP 475" in result.reason


# Hints.


@every_stage
def test_every_question_of_a_stage_has_hints(stage):
    for question in questions(stage):
        given = hints.hints(question)
        assert 2 <= len(given) <= 3, question
        place = re.search(r" Read (\w+/\w+\.\w+)(, section \d+: .*\?|\.)$", given[-1])
        assert (lab.PROJECT / place[1]).exists(), given[-1]
        numbers = re.search(r"section \d+\.\d|\{\d", " ".join(given))
        assert not numbers, f"{given}: a section is named by its heading"


def test_hints_use_no_word_before_it_is_taught():
    """Each word, and the first stage that knows it."""
    taught = {"SIGCHLD|handler": "3e", "WNOHANG": "3g", "zombie": "3c", "EINTR": "3e"}
    for word, stage in taught.items():
        for early in ORDER[:ORDER.index(stage)]:
            for question in questions(STAGES[early]):
                if question.name in NOT_YET:
                    continue
                said = " ".join(hints.hints(question))
                assert not re.search(word, said), (early, question, word)


# What no server of an early stage lacks, unless it is more than that stage is about.
NOT_YET = {"leaves_no_zombie_after_one", "leaves_no_zombie_after_128", "lives_through_signal",
           "lives_without_processes"}


def test_hint_that_names_select_names_its_limit():
    for texts in [*hints.HINTS.values(), *(cause.hints for cause in CAUSES.values())]:
        if re.search(r"\bselect\b", " ".join(texts)):
            assert "FD_SETSIZE" in " ".join(texts)


def test_hints_are_for_something():
    keys = {*WORDS, *(f"show {name}" for name in SHOWN)}
    assert set(hints.HINTS) == keys
    assert {name for stage in STAGES.values() for name in stage.shows} <= set(SHOWN)


# The commands, in a clone of their own: my/ belongs to the reader.


GRADER = [sys.executable, "-m", "tests.grader"]


def inside(clone, **environment):
    """Where the program of a clone is to be started, and with what, as make does."""
    return {"cwd": clone, "env": {**os.environ, "PYTHONPATH": str(clone / "notebooks"),
                                  **environment}}


def run(clone, *words):
    """Run make check's program in a clone; its CompletedProcess."""
    return subprocess.run([*GRADER, *words], capture_output=True, text=True, timeout=60,
                          check=False, **inside(clone))


def test_first_stage_from_an_empty_folder_to_the_second(clone):
    nothing = run(clone, "check")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "There is no my/webserver1.py. Begin with: make start STAGE=1" in nothing.stderr

    assert "my/webserver1.py is there" in run(clone, "start").stdout
    shutil.copy(clone / "part1/webserver1.py", clone / "my/webserver1.py")
    assert "stays as it is" in run(clone, "start", "--stage", "1").stdout

    done = run(clone, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    unseen = done.stdout.count("–")  # as root, to whom some limits do not apply
    assert done.stdout.count("✓") + unseen == len(questions(STAGES["1"]))
    assert f"1 of {len(STAGES)} stages\nNext is 2: WSGI" in done.stdout
    assert "Stage 1 is passed" in run(clone, "check").stdout
    assert "is passed: there is nothing to hint at" in run(clone, "hint").stderr
    assert run(clone, "solution", "--stage", "1").stdout == "They are the same.\n"


def test_failing_check_shows_evidence_and_hints_grow(clone):
    assert "Nothing was checked yet" in run(clone, "hint").stderr
    run(clone, "start", "--stage", "2")
    failing = run(clone, "check", "--stage", "2")  # it says hello, as stage 1 does
    assert failing.returncode == 1
    shown = failing.stdout
    assert "✗ runs a WSGI application\n      done      Started with the argument part2." in shown
    assert "      seen      It did not answer as the application does" in shown
    assert "my/webserver2.py part2.wsgiapp:app & p=$!\n" in shown
    assert "      look for  The body ought to be the application's" in shown
    assert "Hint 1 of 3, on: runs a WSGI application" in shown
    second, third, last = (run(clone, "hint").stdout for _ in range(3))
    assert "Hint 2 of 3" in second
    assert "Hint 3 of 3" in third
    assert "notebooks/2_wsgi.ipynb, section 12: After which" in third.replace("\n  ", " ")
    assert last == third


@every_stage
def test_a_stage_begins_with_the_code_of_one_before_it(stage):
    text = beginning(stage)
    assert f"make check STAGE={stage.name}\n" in text
    assert max(map(len, text.splitlines())) <= 100
    compile(text, "beginning", "exec")
    if stage.name != "1":
        before = PYTHON.predecessor(stage)
        assert text.endswith(before.source().split('"""\n', 2)[-1])
        assert f"This is the code of {before.file}." in text


def test_a_stage_begins_with_the_code_of_its_parent():
    begins = {name: PYTHON.predecessor(STAGES[name]).name
              for name in ("2", "3c", "3h", "2b", "3l", "3m")}
    assert begins == {"2": "1", "3c": "3b", "3h": "2", "2b": "2", "3l": "3k", "3m": "2i"}
    assert "Join part3/webserver3g.py to it." in beginning(STAGES["3h"])


@every_stage
def test_a_beginning_says_where_to_read_of_it(stage):
    """A section of a chapter; where there is none yet, the texts of our stages."""
    assert places(stage)
    for place in places(stage):
        file = re.fullmatch(r"the text at the top of (\S+)|(\S+), section .+", place)
        assert (lab.PROJECT / (file[1] or file[2])).exists(), place


def test_sections_are_named_in_the_order_in_which_one_reads():
    sections = [int(re.search(r"section (\d+)", place)[1]) for place in places(STAGES["2"])]
    assert len(sections) > 2
    assert sections == sorted(sections)


def test_one_track_comes_after_the_other():
    assert sorted(ORDER) == sorted(STAGES)
    assert next_stage(NOTHING) == "1"
    series = ORDER[:ORDER.index("3h") + 1]
    assert next_stage({"passed": series, "last": "3h"}) == "2b"
    assert next_stage({"passed": ["3l"], "last": "3l"}) == "3m"
    assert next_stage({"passed": ORDER, "last": "3z"}) is None


@pytest.mark.parametrize("action", ["check", "start"])
def test_unknown_stage_lists_those_there_are(action, clone):
    ended = run(clone, action, "--stage", "9z")
    assert ended.returncode == 1
    assert ended.stderr == f"There is no stage 9z. There are: {', '.join(STAGES)}.\n"


def test_json_is_for_programs(clone):
    ended = run(clone, "check", "--stage", "3e", "--json", "--server",
                f"{sys.executable} part3/webserver3e.py")
    report = json.loads(ended.stdout)
    assert (ended.returncode, report["passed"], report["stage"]) == (0, True, "3e")
    assert {result["name"]: result["verdict"] for result in report["results"]} == {
        question.name: "shown" if question.kind == "show" else "yes"
        for question in questions(STAGES["3e"])}


def test_server_that_is_no_command_is_said_in_one_line(clone):
    ended = run(clone, "check", "--server", "node 'my")
    assert ended.returncode == 1
    assert ended.stderr == "SERVER=node 'my is no command: No closing quotation.\n"


def test_line_for_a_shell_is_told_what_a_command_is(clone):
    ended = run(clone, "check", "--stage", "1", "--server", "cd my && ./a.out")
    assert ended.returncode == 1
    assert ended.stderr.startswith("SERVER='cd my && ./a.out' is a line for a shell")
    assert "cd my && exec ./a.out" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_file_with_the_line_is_a_command(clone):
    """As the text says, and it ends with the check: exec leaves no shell in between."""
    (clone / "my").mkdir()
    (clone / "my/start.sh").write_text(f"cd part1 && exec {sys.executable} webserver1.py\n")
    ended = run(clone, "check", "--stage", "1", "--server", "sh my/start.sh")
    assert "Stage 1 is passed" in ended.stdout, ended.stdout


@pytest.mark.parametrize("server", [
    "cd my", "./my/a.out | tee log", "./my/a.out 2>log", "./my/a.out &", "make server; ./my/a.out",
    "./my/a.out $PORT", "~/server", "LEVEL=3 ./my/a.out", "node my/*.js", "./a.out || true",
    "./a.out `cat options`",
])
def test_line_for_a_shell_is_no_command(server):
    assert "is a line for a shell" in shells_line(server)


@pytest.mark.parametrize("server", [
    "./my/a.out", "node my/server.js", "python3 -c 'import a; a.b()'", 'sh -c "exec ./a.out $PORT"',
    "my\\ server", "ruby -W0 my/server.rb --level=3", "perl my/a~b.pl", "./my/a.out -x=1",
])
def test_command_is_no_line_for_a_shell(server):
    assert shells_line(server) is None


def test_progress_that_cannot_be_read_counts_as_none(clone):
    (clone / "my").mkdir()
    (clone / "my/.progress.json").write_text('{"passed": ["1"')
    assert "Begin with: make start STAGE=1" in run(clone, "check").stderr


# What the evidence is made of.


@linux_only
def test_it_is_seen_where_a_server_sleeps(start_stage):
    server = start_stage("3a")
    assert lab.eventually(lambda: lab.sleeps_in(server.pid) == "accept")
    with lab.connect(server.port):
        assert lab.eventually(lambda: lab.sleeps_in(server.pid) == "recv")


@linux_only
def test_listening_on_every_interface_of_ipv6_is_seen(servers):
    program = ("import os, socket\n"
               "s = socket.create_server(('::', int(os.environ['PORT'])), family=socket.AF_INET6,\n"
               "                         dualstack_ipv6=True)\n"
               "s.accept()")
    server = servers.enter_context(lab.start([sys.executable, "-c", program]))
    assert [listener.address for listener in lab.listeners(server.port)] == ["::"]
    assert lab.listening([server.pid]) == [("::", server.port)]


# It ends, and nothing stays.


@pytest.fixture
def started(clone):
    """Start make check's program with words; it and its servers are gone after the test."""
    running = []

    def started(*words):
        mark = f"check-{os.getpid()}-{len(running)}"
        running.append(subprocess.Popen(
            [*GRADER, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            **inside(clone, LAB_TEST=mark, PYTHONUNBUFFERED="1")))
        running[-1].mark = mark
        return running[-1]

    yield started
    for process in running:
        process.kill()
        process.communicate()


def marked(mark):
    """The processes that have inherited LAB_TEST=mark, those without a command line left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("LAB_TEST") == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@linux_only
def test_it_may_be_ended_at_any_time_and_leaves_no_process(signum, started):
    checking = started("check", "--stage", "3c", "--server",
                       f"{sys.executable} part3/webserver3c.py")
    busy = lab.eventually(lambda: len(marked(checking.mark)) > 12, 20, every=0.05)
    assert busy, "no servers were started"
    checking.send_signal(signum)
    said = checking.communicate(timeout=10)[0]
    gone = lab.eventually(lambda: not marked(checking.mark), 20, every=0.05)
    assert gone, f"{marked(checking.mark)} outlived the check."
    assert "Traceback" not in said


def test_watch_checks_again_when_the_file_is_saved(clone, started):
    (clone / "my").mkdir()
    file = clone / "my/webserver1.py"
    shutil.copy(WRONG / "starts_and_dies.py", file)
    watching = started("watch", "--stage", "1")
    said = []
    read_until(watching, "Waiting for a file", said)
    assert "KeyError: 'PORTS'" in "".join(said)
    file.write_text(Path(lab.stage_command("1")[-1]).read_text())
    read_until(watching, "Waiting for a file", said)
    assert "Stage 1 is passed" in "".join(said)


def read_until(process, words, said):
    """Add its lines to `said`, up to one with these words; pytest's timeout is the limit."""
    for line in process.stdout:
        said.append(line)
        if words in line:
            return


def test_two_checks_at_once_do_not_disturb_each_other(started):
    server = f"{sys.executable} part1/webserver1.py"
    both = [started("check", "--stage", "1", "--server", server) for _ in range(2)]
    for checking in both:
        said = checking.communicate(timeout=50)[0]
        assert "Stage 1 is passed" in said, said
