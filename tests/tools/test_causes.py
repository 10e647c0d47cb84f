"""What a server says leads to the hint on that, also where the check has seen something else."""

import re
import sys

import pytest

import lab
from tests.grader import hints
from tests.grader.causes import CAUSES, cause_of
from tests.grader.grading import Question, Result, grade, questions, to_hint_at
from tests.helpers.scripts import linux_only
from tests.spec.stages import STAGES
from tests.spec.subject import Fault

SAID = [  # a stage, what a server of it has said, and the cause
    ("1", "OSError: [Errno 107] Transport endpoint is not connected", "not_connected"),
    ("1", "in <module>\n s.accept()\nOSError: [Errno 22] Invalid argument", "before_listen"),
    ("1", "accept: Socket operation on non-socket", "no_socket"),
    ("1", "bind: Cannot assign requested address", "address"),
    ("1", "KeyError: 'PORTS'", "environment"),
    ("1", "TypeError: 'str' object cannot be interpreted as an integer", "port_is_text"),
    ("1", "TypeError: a bytes-like object is required, not 'str'", "bytes"),
    ("1", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff", "no_text"),
    ("1", "`split': invalid byte sequence in UTF-8 (ArgumentError)", "no_text"),
    ("1", "ValueError: not enough values to unpack (expected 3, got 1)", "no_request"),
    ("1", "BrokenPipeError: [Errno 32] Broken pipe", "client_gone"),
    ("1", "Error: read ECONNRESET", "client_gone"),
    ("1", "OSError: [Errno 9] Bad file descriptor", "closed"),
    ("1", "Cannot start ./my/a.out: [Errno 13] Permission denied", "not_allowed"),
    ("1", "Cannot start ./my/a.out: [Errno 2] No such file or directory", "not_there"),
    ("3a", "OSError: [Errno 24] Too many open files", "too_many_files"),
    ("3f", "accept: Interrupted system call", "interrupted"),
    ("1", "Error: listen EADDRINUSE: address already in use 127.0.0.1:8888", "in_use"),
    ("1", "The server ended, with status -13. It said nothing.", "broken_pipe"),
    ("1", "The server ended, with status 139. It said nothing.", "memory"),
    ("1", "It took longer than 20 s. The server is slow: look at how long", "slow"),
    ("2", "ModuleNotFoundError: No module named 'part2'", "no_module"),
    ("2", "KeyError: 'SCRIPT_NAME'", "environ"),
    ("2", "KeyError: 'PROT'", "environment"),
    ("3b", "invalid value for Integer(): \"0.05\" (ArgumentError)", "delay"),
    ("3c", "accept: Bad file descriptor", "closed_by_child"),
    ("3c", "ChildProcessError: [Errno 10] No child processes", "no_child"),
    ("3c", "bind: Address already in use", "held_by_child"),
    ("3e", "ChildProcessError: [Errno 10] No child processes", "no_child_in_handler"),
    ("3f", "ChildProcessError: [Errno 10] No child processes", "no_child_in_handler"),
    ("3g", "wait: No child processes", "no_child_in_loop"),
    ("3g", "ValueError: list.remove(x): x not in list", "handler_in_between"),
    ("3g", "RuntimeError: reentrant call inside <_io.BufferedWriter>", "handler_in_between"),
    ("3h", "    pid = os.fork()\n          ^^^^^^^^^\nBlockingIOError: [Errno 11] Resource "
           "temporarily unavailable", "no_more_processes"),
    ("3i", "ValueError: signal only works in main thread of the main interpreter",
     "signal_in_thread"),
    ("3i", "OSError: [Errno 9] Bad file descriptor", "closed_by_thread"),
    ("3j", "RuntimeError: can't start new thread", "no_more_processes"),
    ("3j", "OSError: [Errno 98] Address already in use", "bound_by_workers"),
    ("3k", "ValueError: filedescriptor out of range in select()", "too_high_for_select"),
    ("3k", "BlockingIOError: [Errno 11] Resource temporarily unavailable", "would_block"),
]


def asked(stage):
    return {question.name for question in questions(STAGES[stage]) if question.kind != "show"}


@pytest.mark.parametrize(("asked_as", "said", "cause"), SAID)
def test_words_lead_to_their_cause(asked_as, said, cause):
    fault = Fault("A client asked.", "An answer.", "No byte of an answer came.")
    fault.said = said
    result = Result(Question("answers", "property"), "no", fault)
    assert cause_of([result], asked(asked_as)) == cause


def test_every_cause_is_led_to():
    assert {cause for _, _, cause in SAID} == {*CAUSES}


@pytest.mark.parametrize("name", CAUSES)
def test_hints_on_a_cause_end_with_what_to_read(name):
    given = hints.hints(Question(name, "cause"))
    assert 1 <= len(given) <= 3
    assert CAUSES[name].claim is None or re.search(
        r"Read notebooks/\w+.ipynb, section \d+: .+\?$", given[-1]), given[-1]


def program(folder, stage, *changes):
    """The command of a stage of ours in which some texts were changed."""
    source = STAGES[stage].source()
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    file = folder / "server.py"
    file.write_text(source)
    return [sys.executable, str(file)]


NO_END = ("        except ChildProcessError:  # there are no children\n            return\n",
          "        except KeyError:\n            return\n")


@pytest.mark.thorough
@linux_only
@pytest.mark.parametrize(("asked_as", "changes", "cause"), [
    ("3g", [NO_END], "no_child_in_loop"),
    ("3c", [("os._exit(0)", "pass")], "closed_by_child"),
    ("3b", [("float(DELAY)", "int(DELAY)")], "delay"),
    ("3k", [("selectors.DefaultSelector", "selectors.SelectSelector")], "too_high_for_select"),
    ("1", [("signal.signal(", "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n    signal.signal("),
           ("client_connection.sendall(RESPONSE)",
            "client_connection.sendall(RESPONSE[:20])\n        time.sleep(0.05)\n"
            "        client_connection.sendall(RESPONSE[20:])"),
           ("import sys", "import sys\nimport time")], "broken_pipe"),
    ("1", [("setsockopt", "getsockopt"), ("REUSEADDR, 1)", "REUSEADDR)")], "in_use"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_first_hint_is_on_what_the_server_has_said(asked_as, changes, cause, folder):
    results = grade(STAGES[asked_as], program(folder, asked_as, *changes))
    assert to_hint_at(STAGES[asked_as], results)[0] == Question(cause, "cause"), [
        (result.question.name, str(result.fault)) for result in results if not result.good]


@pytest.mark.thorough
@linux_only
def test_interrupted_accept_is_hinted_at_before_all_that_comes_of_it():
    results = grade(STAGES["3f"], lab.stage_command("3e"))
    first, second, *_ = to_hint_at(STAGES["3f"], results)
    assert first == Question("interrupted", "cause")
    assert second.name == "lives_through_signal"
    assert "call again" in " ".join(hints.hints(first))


@pytest.mark.thorough
def test_fault_that_the_server_says_nothing_about_has_its_own_hint():
    results = grade(STAGES["3c"], lab.stage_command("3b"))
    assert to_hint_at(STAGES["3c"], results)[0].kind != "cause"
