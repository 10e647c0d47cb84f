"""The instruments: servers that end whatever happens, and failures that are said in a sentence."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from contextlib import ExitStack

import psutil
import pytest

import lab
from tests.helpers.scripts import linux_only

SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]


def test_server_ends_with_its_group_when_its_caller_is_killed():
    program = textwrap.dedent("""
        import sys, lab
        server = lab.start_stage("3c", DELAY=60)
        lab.ask(server.port, until=b"World!")
        print(*server.members(), flush=True)
        sys.stdin.read()
    """)
    with subprocess.Popen([sys.executable, "-c", program], text=True, cwd=lab.PROJECT / "notebooks",
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as caller:
        family = [int(pid) for pid in caller.stdout.readline().split()]
        assert len(family) == 2
        assert all(map(lab.process, family))
        os.kill(caller.pid, signal.SIGKILL)
    assert lab.eventually(lambda: not any(map(lab.process, family)), 20)


def test_server_ends_when_its_caller_is_interrupted_in_the_moment_of_its_start():
    """Between the start of a server and that of its guard nobody would end it."""
    program = textwrap.dedent("""
        import os, signal, subprocess, lab
        start = subprocess.Popen
        def start_and_interrupt(*arguments, **options):
            process = start(*arguments, **options)
            print(process.pid, flush=True)
            os.kill(os.getpid(), signal.SIGINT)
            return process
        subprocess.Popen = start_and_interrupt
        lab.Server(["sleep", "60"])
    """)
    ended = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True,
                           cwd=lab.PROJECT / "notebooks", timeout=30, check=False)
    assert "KeyboardInterrupt" in ended.stderr
    server = int(ended.stdout.split()[0])
    assert lab.eventually(lambda: not lab.process(server), 20)


def test_stop_ends_a_server_that_ignores_sigterm_and_its_children():
    program = ("import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
               "os.fork(); time.sleep(60)")
    server = lab.Server([sys.executable, "-c", program])
    assert lab.eventually(lambda: len(server.members()) == 2)
    family = server.members()
    server.stop()
    assert server.exit_status == -signal.SIGKILL
    assert lab.eventually(lambda: not any(map(lab.process, family)), 20)


def test_all_of_a_server_is_gone_when_stop_returns(start_stage):
    """The children of 3c outlive their parent: its SIGTERM is not theirs."""
    server = start_stage("3c")
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(lab.connect(server.port))
        assert lab.eventually(lambda: len(lab.children(server.pid)) == 60)
        family = server.members()
        server.stop()
        left = [process for process in map(lab.process, family) if process]
    assert not [process for process in left if process.state != "zombie"], left


def test_server_stops_with_the_block_that_started_it_even_if_that_fails():
    with pytest.raises(ZeroDivisionError), lab.start_stage("1") as server:
        1 / 0  # noqa: B018
    assert server.exit_status is not None
    server.stop()  # a second time does no harm
    assert "Serving HTTP" in server.stdout


@linux_only
def test_daemon_that_left_its_group_is_ended_and_named():
    server = lab.start([sys.executable, "tests/wrong/leaves_its_session.py"])
    server.stop()
    [survivor] = server.survivors
    assert "leaves_its_session.py" in survivor.command
    assert lab.process(survivor.pid) is None
    assert not lab.listeners(server.port)


@linux_only
def test_another_server_on_the_port_is_not_ours_to_end():
    """It has the port, but was not started as this server."""
    with lab.start_stage("1") as other:
        server = lab.Server(["sleep", "60"])
        server._port = other.port
        server.stop()
        assert server.survivors == []
        assert lab.ask(other.port, until=b"Hello").status == 200


@linux_only
def test_signals_that_a_process_catches_or_ignores_and_its_wakeups_are_seen(servers):
    program = ("import os, signal, socket\n"
               "signal.signal(signal.SIGCHLD, lambda signum, frame: None)\n"
               "signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
               "s = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
               "s.accept()")
    server = servers.enter_context(lab.start([sys.executable, "-c", program]))
    assert lab.eventually(lambda: lab.sleeps_in(server.pid) == "accept")
    assert signal.SIGCHLD in lab.caught_signals(server.pid)
    assert signal.SIGUSR1 in lab.ignored_signals(server.pid)
    before = lab.wakeups(server.pid)
    server.process.send_signal(signal.SIGCHLD)
    assert lab.eventually(lambda: lab.wakeups(server.pid) > before)


def test_server_that_dies_before_it_listens_is_said_with_its_last_words():
    with pytest.raises(lab.ServerError, match=r"ended with status 1 before it listened.*\n.*abc"):
        lab.start_stage("1", port=None, PORT="abc")


def test_server_that_never_listens_is_said_and_ended():
    with pytest.raises(lab.ServerError, match=r"does not listen on port \d+ 1 s after.*\nawake"):
        lab.start(SLEEPER, within=1)
    assert not [child for child in lab.children(os.getpid()) if "time.sleep" in child.command]


def test_command_that_is_not_there_is_said():
    with pytest.raises(lab.ServerError, match="Cannot start nowhere: .*No such file"):
        lab.start("nowhere")


def test_stage_that_is_not_there_is_said_with_those_that_are():
    with pytest.raises(lab.ServerError, match="no stage '9z'. There are: 1, 2, 2b, 2c"):
        lab.start_stage("9z")


def test_a_stage_of_the_reader_s_own_is_named_by_my(monkeypatch, folder):
    monkeypatch.setattr(lab.server, "PROJECT", folder)
    (folder / "my").mkdir()
    own = folder / "my/webserver3o.py"
    own.write_text("print('mine')")
    assert lab.stage_command("my 3o", "app:app")[1:] == [str(own), "app:app"]
    with pytest.raises(lab.ServerError, match="no my/webserver3p.py yet: make start STAGE=3p"):
        lab.stage_command("my 3p")


def test_port_that_is_taken_is_said_with_who_has_it(start_stage):
    server = start_stage("1")
    with pytest.raises(lab.ServerError, match=rf"Port {server.port} is taken by process "
                                              rf"{server.pid} \(.*webserver1.py\)"):
        lab.start_stage("1", port=server.port)


def test_client_that_times_out_says_so(start_stage):
    server = start_stage("3b", DELAY=60)
    answer = lab.ask(server.port, timeout=0.3)
    assert repr(answer).endswith("no end (timed out)")
    with lab.connect(server.port, timeout=0.3) as second:
        second.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError, match=r"Waited 0.3 s for b'Hello'; what came is b''"):
            lab.read_until(second, b"Hello")


def test_client_without_a_server_says_so():
    assert "Connection refused" in repr(lab.ask(lab.free_port()))


def test_limits_are_the_server_s_alone(start_stage):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = start_stage("1", files=64)
    limits = (lab.kernel.PROC / str(server.pid) / "limits").read_text()
    assert "Max open files            64                   64" in limits
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_queue_counts_accepted_waiting_and_outside(start_stage):
    server = start_stage("3a")
    with lab.connect(server.port), lab.connect(server.port), lab.connect(server.port):
        assert lab.eventually(lambda: lab.queue(server.pid, server.port) == (1, 2, 0))
        [pair] = [pair for pair in lab.socket_pairs(server.port) if pair[1].inode]
        assert pair[0].local == pair[1].foreign


@linux_only
def test_memory_counts_a_shared_page_once_as_pss_and_for_each_process_as_rss():
    program = "import os, time; much = b'x' * 50_000_000; os.fork(); time.sleep(60)"
    with lab.Server([sys.executable, "-c", program]) as server:
        assert lab.eventually(lambda: len(server.members()) == 2)
        seen = {kind: lab.memory(server.members(), kind) for kind in ("PSS", "RSS")}
    assert 50e6 < seen["PSS"] < 90e6 < 100e6 < seen["RSS"], seen


def test_memory_of_a_process_that_is_gone_is_none():
    with lab.Server(SLEEPER) as server:
        assert lab.eventually(lambda: lab.memory([server.pid], "RSS") > 1e6)
    assert lab.memory([server.pid], "RSS") == 0


def test_memory_without_proc_says_that_it_cannot_see_what_is_shared(monkeypatch):
    monkeypatch.setattr(psutil, "LINUX", False)
    with pytest.raises(lab.CannotSee, match="shares"):
        lab.memory([os.getpid()])


def test_process_that_ends_while_we_look_at_it_is_seen_as_a_zombie(monkeypatch):
    """Its state is read before it ends, its command after."""
    with subprocess.Popen(["true"]) as child:
        assert lab.eventually(lambda: lab.process(child.pid).state == "zombie")
        states = iter(["sleeping", "zombie"])
        monkeypatch.setattr(psutil.Process, "status", lambda process: next(states))
        assert lab.process(child.pid) == (child.pid, os.getpid(), "zombie", "[true]")


def test_recorder_keeps_every_change():
    values = iter([0, 0, 3, 3, 1])
    with lab.Recorder(lambda: next(values, 1), every=0.001) as recorder:
        assert lab.eventually(lambda: len(recorder.samples) == 3)
    assert [value for _, value in recorder.samples] == [0, 3, 1, 1]


def test_diff_shows_what_a_stage_adds():
    shown = repr(lab.diff("3e", "3f"))
    added = [line for line in shown.splitlines() if line.startswith("+")]
    assert any("except InterruptedError" in line for line in added), shown
    assert "Builds on" not in shown


def test_diff_of_some_functions_shows_nothing_else():
    shown = repr(lab.diff("2", "3h", "serve_forever", "start_child"))
    assert "+def start_child(" in shown
    assert "-        client_connection, client_address = listen_socket.accept()" in shown
    assert "multiprocess" not in shown
    assert "def reap_children" not in shown


@pytest.mark.parametrize(("answer", "said"), [
    (..., "Put your answer where the three dots are"), (4, "Right."), (5, "Not so. Count again.")])
def test_exercise_compares_the_answer_with_what_was_measured(answer, said, capsys):
    lab.compare(answer, 4, "Count again.")
    lab.compare(answer, lambda given: given == 4, "Count again.")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1]
    assert lines[0].startswith(said)


def test_changed_stage_runs_with_the_change():
    command = lab.changed("3k", "Hello, World!", "Good evening!")
    with lab.start(command, honest=True) as server:
        assert lab.ask(server.port).body == b"Good evening!\n"


@pytest.mark.parametrize("piece", ["no such text", "import "])
def test_change_that_could_mean_several_places_or_none_is_refused(piece):
    with pytest.raises(ValueError, match="times in 3k, not once"):
        lab.changed("3k", piece, "")


def test_excerpt_is_the_function_and_nothing_else():
    text = lab.excerpt("3k", "serve")
    assert text.startswith("def serve(client_connection):")
    assert text.endswith("the body ends where the connection does")
    assert lab.excerpt("3z", "Worker.retire").startswith("def retire(self):\n    ")
    with pytest.raises(LookupError, match="There is no Worker.nothing"):
        lab.excerpt("3z", "Worker.nothing")


def test_connections_are_printed_from_both_sides(start_stage, capsys):
    server = start_stage("1")
    with lab.connect(server.port) as client:
        here = client.getsockname()[1]
        lab.tell_connections(server.port)
    lines = capsys.readouterr().out.splitlines()  # the port may have had another server before
    assert sorted(line for line in lines if not line.endswith("TIME_WAIT")) == sorted([
        f"127.0.0.1:{here} to 127.0.0.1:{server.port}  ESTABLISHED",
        f"127.0.0.1:{server.port} to 127.0.0.1:{here}  ESTABLISHED"])


def test_two_stages_are_asked_the_same(capsys):
    lab.ask_both("2", "2b", "part2.wsgiapp:app", "printf 'asked '; curl -s URL/hello")
    answer = "asked Hello world from a simple WSGI application!\n"
    assert capsys.readouterr().out == f"webserver2:\n{answer}webserver2b:\n{answer}"


def test_what_is_typed_into_telnet_is_sent(start_stage, monkeypatch):
    server = start_stage("1")
    if shutil.which("telnet"):
        assert "Hello, World!" in lab.type_into_telnet(server.port, "GET /typed HTTP/1.1")
        assert lab.eventually(lambda: "GET /typed" in server.stdout)
    monkeypatch.setenv("PATH", "")
    assert "telnet is not on this machine" in lab.type_into_telnet(server.port, "GET / HTTP/1.1")
