"""The lines that make check prints under "try it" show the fault, end, and leave nothing behind."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import psutil
import pytest

import lab
from tests.grader import tryit
from tests.grader.grading import ALONE, Question, Result
from tests.grader.grading import questions as questions_of
from tests.helpers.scripts import linux_only, needs
from tests.spec.stages import STAGES
from tests.spec.subject import Fault

pytestmark = [linux_only, needs("curl"), pytest.mark.timeout(300), pytest.mark.thorough]
HELLO = "Hello, World!"
ZOMBIE = r"\d+ Z.* <defunct>"
DEAD = "Failed to connect|Couldn't connect|Connection refused"
GAVE_UP = r"\(28\) (Operation|Connection) timed out"


@dataclass(frozen=True)
class Case:
    """A line, tried on a server that has the fault and on one that has not.

    stage         what both are asked as
    wrong, right  stages, or files of tests/wrong
    bad, good     what is seen of the wrong one alone, and of the right one alone; PORT is theirs
    """

    name: str
    stage: str
    wrong: str
    right: str
    bad: str = ""
    good: str = ""
    done: str = ""


CASES = [
    Case("starts", "1", "listens_on_another_port.py", "1", good=r"127.0.0.1:PORT\b"),
    Case("starts", "1", "starts_and_dies.py", "1", bad="KeyError"),
    Case("accepts", "1", "never_accepts.py", "1", "(LISTEN|tcp) +1 "),
    Case("reads", "1", "never_reads.py", "1", good="received b'HTTP"),
    Case("reads", "1", "closes_too_early.py", "1", "unasked +the server|reset by peer"),
    Case("answers", "1", "sends_no_empty_line.py", "1", good=r"received b'\\r\\n'"),
    Case("goes_on", "1", "exits_after_one_request.py", "1", good=f"(?s){HELLO}.*{HELLO}"),
    Case("stays", "1", "accept_times_out.py", "1", DEAD, HELLO),
    Case("stays", "1", "silent_client_times_out.py", "1", DEAD, HELLO),
    Case("survives_silent_client", "1", "thread_dies_silently.py", "1", GAVE_UP, HELLO),
    Case("survives_silent_client", "3b", "takes_delay_for_an_integer.py", "3b", "ValueError"),
    Case("survives_garbled_client", "1", "believes_in_text.py", "1", "No text",
         HELLO + "\n.*$"),
    Case("survives_vanishing_client", "1", "prints_a_traceback.py", "1", "ConnectionResetError"),
    Case("serves_while_another_waits", "3c", "3b", "3c", GAVE_UP, HELLO),
    Case("serves_while_another_waits", "3a", "3k", "3a", HELLO, GAVE_UP),
    Case("ends_the_connection", "1", "answers_and_never_closes.py", "1", GAVE_UP),
    Case("ends_the_connection", "3d", "3d", "3c", GAVE_UP),
    Case("keeps_descriptor_count", "3d", "3d", "3c", r"((socket:|TCP 127)(.|\n)*){6}"),
    Case("lives_on_256_descriptors", "3d", "3d", "3c", "Too many open files", "300 clients were"),
    Case("leaves_no_zombie_after_one", "3f", "3c", "3f", ZOMBIE),
    Case("leaves_no_zombie_after_128", "3g", "3f", "3g", ZOMBIE),
    Case("lives_through_signal", "3f", "3e", "3f", DEAD, f"(?s){HELLO}.*{HELLO}"),
    Case("lives_without_processes", "3j", "3g", "3j", "Resource temporarily unavailable", HELLO),
    Case("runs_wsgi", "2", "1", "2", HELLO, "Hello world from a simple WSGI"),
    Case("calls_it_anew", "2", "calls_once.py", "2", r"([0-9a-f]{32})(?s:.*)\1"),
    Case("passes_the_head_on", "2", "says_200_whatever_comes.py", "2", good="299 Nonce"),
    Case("sends_every_block", "2", "sends_the_first_block.py", "2", good="(?s)two .*two "),
    Case("waits_for_start_response", "2", "makes_the_head_too_early.py", "2", good="298 Late"),
    Case("says_what_was_asked", "2", "says_get_of_every_method.py", "2", "GET /b"),
    Case("makes_environ_anew", "2", "one_environ_for_all.py", "2", "used before"),
    Case("fills_environ", "2", "has_no_wsgi_keys.py", "2", "wsgi.version"),
    Case("outlives_its_application", "2", "ends_with_its_application.py", "2", DEAD),
    Case("sends_it_all", "3m", "gives_up_on_a_full_kernel.py", "3m", good="\n14000000\n"),
    Case("step_2b", "2b", "2", "2b", good="HTTP_X_PROBE"),
    Case("step_2c", "2c", "2b", "2c", good="my body"),
    Case("step_2d", "2d", "2c", "2d", "TypeError", "two three"),
    Case("step_2e", "2e", "2d", "2e", good="\nclosed\n"),
    Case("step_2f", "2f", "2e", "2f", good="Content-Length"),
    Case("step_2g", "2g", "2f", "2g", good="(?s)one.*two"),
    Case("step_2h", "2h", "2g", "2h", good="HTTP/1.1 400"),
    Case("step_2i", "2i", "2h", "2i", good="HTTP/1.1 400"),
    Case("step_2j", "2j", "2i", "2j", good="unasked +(the server|b'HTTP/1.1 408)"),
    Case("complete_pep3333", "2e", "2d", "2e", good="the iterable was closed"),
    Case("complete_pep3333", "2e", "2", "2e", bad="QUERY_STRING"),
    Case("keeps_alive", "3n", "3m", "3n", good="Re-?using existing connection"),
    Case("holds_5000_idle", "3k", "3j", "3k", GAVE_UP, HELLO),
    Case("holds_5000_idle", "3k", "3i", "3k", r"(?m)^\d{3,4}$"),
    Case("queues_five", "3a", "1", "3a", r"(LISTEN|tcp) +[12] ", r"(LISTEN|tcp) +[56] "),
    Case("sleeps_after_answer", "3b", "3a", "3b", "end after 0", "byte after 0.*end after 3"),
    Case("sleeps_side_by_side", "3c", "3b", "3c", "end after [5-9]"),
    Case("a_process_for_each", "3c", "3b", "3c", good=r"(?s)(\d+ S.*webserver3c.*){4}"),
    Case("no_process_for_each", "3i", "3c", "3i", bad=r"(?s)(\d+ S.*webserver3c.*){4}"),
    Case("a_thread_for_each", "3i", "3c", "3i", good=r"\d +4 .*webserver3i"),
    Case("reaps_when_told", "3f", "3c", "3f", ZOMBIE),
    Case("waits_for_the_dead_only", "3f", "waits_for_the_living.py", "3f",
         GAVE_UP, f"(?s){HELLO}.*{HELLO}"),
    Case("workers_in_advance", "3j", "3c", "3j", good=r"(?s)(\d+ S.*webserver3j.*){3}"),
    Case("replaces_a_worker", "3j", "replaces_nobody.py", "3j",
         good=r"(?s)^((?!grep).)*(\d+ S[^\n]*webserver3j((?!grep).)*){3}grep.*"
              r"(\d+ S[^\n]*webserver3j.*){3}grep"),
    Case("ends_its_children", "3j", "3c", "3j", r"\d python", "none left"),
    Case("gives_the_port_back", "3g", "child_listens_too.py", "3g", r"LISTEN.*:PORT\b"),
    Case("answers_bursts", "3g", "removes_in_the_handler.py", "3g", "x not in list"),
    Case("serves_beside_forty", "3i", "pool_of_4.py", "3i", GAVE_UP, HELLO),
    Case("threads_end", "3i", "threads_never_end.py", "3i", r"\d +4\d +\S"),
    Case("forks_for_clients_only", "3g", "forks_for_nobody.py", "3g",
         r"(?s)switches:\s+(\d+).*switches:\s+(?!\1\b)\d+"),
    Case("sleeps_until_told", "3g", "thread_reaps_each_second.py", "3g",
         good=r"SigCgt:\s+\w*1\w{4}\n"),
    Case("sends_long_answers", "3l", "sends_once.py", "3l", good="\n14000000\n"),
    Case("listens_on_host_only", "1", "listens_on_every_interface.py", "1", r"0\.0\.0\.0:PORT",
         "127.0.0.2:PORT"),
    Case("idles", "1", "waits_busily.py", "1", "00:0[01]:(0[2-9]|[1-5])"),
    Case("says_port_is_taken", "1", "taken_port_is_a_traceback.py", "1", "Traceback",
         "Cannot serve"),
    Case("says_port_is_taken", "1", "calls_a_taken_port_well.py", "1", "status 0"),
    Case("starts_again", "1", "forgets_reuseaddr.py", "1", "in use", f"(?s){HELLO}.*{HELLO}"),
    Case("stops", "1", "ignores_sigterm.py", "1", r"\d S.*ignores_sigterm"),
    Case("stops", "1", "ctrl_c_is_a_traceback.py", "1", "KeyboardInterrupt",
         done="Ctrl-C was sent."),
]


def cases_of(*names):
    return [case for case in CASES if case.name in names]


def of_each(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.name}-{case.wrong}")


def command_of(server, python=sys.executable):
    file = (f"tests/wrong/{server}" if server.endswith(".py")
            else STAGES[server].file)
    return f"{tryit.seen_from_here(python)} {file}"


def line_for(case, server, port):
    result = Result(Question(case.name, "property"), "no", Fault(case.done, "", ""))
    return tryit.see(result, STAGES[case.stage], command_of(server), port)[0]


def slower(line, times):
    """The same line for a busy machine: it waits longer before it goes on."""
    return re.sub(r"sleep (\d+)", lambda match: f"sleep {int(match[1]) * times}", line)


def paste(line, shell="bash", **options):
    """What one sees who pastes it into a terminal, and what of it is still there after that."""
    mark = f"try-{os.getpid()}-{time.monotonic_ns()}"
    shown = subprocess.Popen([shell], cwd=lab.PROJECT, text=True, errors="replace",
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=True,
                             env={**os.environ, "LAB_TEST": mark}, **options)
    try:
        seen = shown.communicate(f"{line}\n", timeout=120)[0]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shown.pid, signal.SIGKILL)
    left = lab.eventually(lambda: not marked(mark), 5) or marked(mark)
    return seen, left


def marked(mark):
    """The living processes that have inherited LAB_TEST=mark."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("LAB_TEST") == mark:
                found.append(process)
    return found


def tried(case, times):
    """What is seen of the wrong server and of the right one, with their ports."""
    identity = {}
    if case.name in ALONE and os.getuid() == 0:  # root is bound by no limit on processes
        identity = lab.server.private_identity()

    def one(server):
        port = lab.free_port()
        line = line_for(case, server, port)
        if identity:
            python = lab.server.readable_python(identity)
            line = line.replace(tryit.seen_from_here(sys.executable), python)
            line = re.sub(r"ulimit -u \d+", "ulimit -u 20", line)
        seen, left = paste(slower(line, times), **identity)
        assert left is True, f"{left} outlived the line."
        return seen, port

    with ThreadPoolExecutor(1 if identity else 2) as pool:
        return list(pool.map(one, (case.wrong, case.right)))


def shows(pattern, here, there):
    """Whether a pattern is found in one output, and not in the other."""
    found, lost = (re.search(pattern.replace("PORT", str(port)), seen)
                   for seen, port in (here, there))
    return not pattern or found and not lost


def must_tell_apart(case):
    for times in (1, 3):
        wrong, right = tried(case, times)
        if shows(case.bad, wrong, right) and shows(case.good, right, wrong):
            return
    pytest.fail(f"Not to be told apart. The wrong one:\n{wrong[0]}\nThe right one:\n{right[0]}")


@of_each(CASES)
def test_line_shows_the_fault(case):
    must_tell_apart(case)


@needs("netstat")
@of_each(cases_of("starts", "queues_five", "listens_on_host_only"))
def test_line_shows_the_fault_without_ss(case, monkeypatch):
    monkeypatch.setattr(tryit, "has", lambda program: program != "ss" and shutil.which(program))
    assert "ss -l" not in line_for(case, case.right, 8888)
    must_tell_apart(case)


@needs("lsof")
@of_each(cases_of("ends_the_connection", "keeps_descriptor_count"))
def test_line_shows_the_fault_without_proc(case, monkeypatch):
    monkeypatch.setattr(tryit, "sees_proc", lambda: False)
    assert "lsof" in line_for(case, case.right, 8888)
    assert "/proc" not in line_for(case, case.right, 8888)
    must_tell_apart(case)


def test_there_is_a_line_for_every_question_and_each_is_tried():
    questions = {question.name for stage in STAGES.values() for question in questions_of(stage)}
    assert questions <= set(tryit.TRIES)
    assert questions <= {case.name for case in CASES}


@of_each(CASES)
def test_what_to_look_for_is_said_in_a_sentence_or_two(case):
    result = Result(Question(case.name, "property"), "no", Fault(case.done, "", ""))
    line, look = tryit.see(result, STAGES[case.stage], command_of(case.right))
    assert re.fullmatch(r"[A-Z0-9].*[.!?)]", look), look
    assert not re.search(r"[{}]", look), look
    assert len(line.splitlines()) == 3, line


# In a terminal, where each command is a job of its own.


@pytest.fixture
def terminal():
    """terminal(shell, LAB_TEST=mark) starts an interactive shell; its process, and a descriptor
    that is the terminal's other end. It is gone after the test."""
    open_ones = []

    def terminal(*shell, **environment):
        here, there = pty.openpty()
        started = subprocess.Popen(
            shell, cwd=lab.PROJECT, stdin=there, stdout=there, stderr=there, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, **environment})
        os.close(there)
        open_ones.append((started, here))
        return started, here

    yield terminal
    for started, here in open_ones:
        os.close(here)
        started.kill()
        started.wait()


def read_until(terminal, words, within=60):
    """What a terminal shows, until these words have come."""
    seen = ""
    deadline = time.monotonic() + within
    while words not in seen:
        ready = select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]
        assert ready, f"Waited {within} s for {words!r}. What came is:\n{seen}"
        seen += os.read(terminal, 65536).decode(errors="replace")
    return seen


@pytest.mark.parametrize("shell", ["bash --norc -i", "zsh -f -i", "dash -i"])
def test_line_that_sends_ctrl_c_leaves_no_process_in_a_terminal(shell, terminal):
    """The server is in front here, and the clients are behind."""
    case = [case for case in CASES if "Ctrl-C" in case.done][0]
    mark, started, screen = start_shell(terminal, shell)
    paste_into(screen, line_for(case, "3c", lab.free_port()))
    assert "Serving" in read_until(screen, "\nnone left")
    must_be_alone(mark, started, screen)


@pytest.mark.parametrize("interrupted", [False, True], ids=["to the end", "Ctrl-C"])
@pytest.mark.parametrize("shell", ["bash --norc -i", "zsh -f -i", "dash -i"])
def test_line_leaves_no_process_in_a_terminal(shell, interrupted, terminal):
    """A server with children that would live on, and clients behind an ampersand."""
    case = cases_of("a_process_for_each")[0]
    mark, started, screen = start_shell(terminal, shell)
    line = line_for(case, "3c", lab.free_port())
    paste_into(screen, slower(line, 3) if interrupted else line)
    read_until(screen, "silent clients: 3")
    assert len(marked(mark)) > 3
    if interrupted:
        os.write(screen, b"\x03")
    else:
        read_until(screen, "grep -w")
    must_be_alone(mark, started, screen)


def start_shell(terminal, shell):
    """A mark that all have that it starts, its process, and its terminal."""
    if not shutil.which(shell.split()[0]):
        pytest.skip(f"{shell.split()[0]} is not installed")
    mark = f"terminal-{os.getpid()}-{time.monotonic_ns()}"
    return mark, *terminal(*shell.split(), LAB_TEST=mark, TERM="dumb")


def paste_into(screen, line):
    os.write(screen, b"stty -echo; echo $((20 + 21))\n")
    read_until(screen, "41")
    os.write(screen, f"{line}\n".encode())


def must_be_alone(mark, started, screen):
    """The shell is there, ready for the next line, and nothing else is."""
    gone = lab.eventually(lambda: [each.pid for each in marked(mark)] == [started.pid], 30)
    assert gone, f"{marked(mark)} outlived the line."
    os.write(screen, b"echo still $((20 + 22))\n")
    read_until(screen, "still 42")
