"""Claim 3.33: workers under a master; one that dies is replaced, and none outlives the master."""

import os
import signal
import socket
import sys
import time

import pytest

import lab
from tests.helpers.capstone import CLOSE, LAST, PROCESSES, assert_replaced, get, workers
from tests.helpers.complete import APPS, fetch
from tests.helpers.scripts import linux_only, needs

pytestmark = pytest.mark.claim("3.33")
WITH_A_CHILD = ["sh", "-c", '(until [ -e "$0" ]; do sleep 0.05; done) & exec "$@"']
AS_SUBREAPER = [sys.executable, "-c", """\
import ctypes, os, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""]
READER_LEAVES = ["sh", "-c", '"$@" 2>&1 | head -1', "sh"]  # and all that is said later is EPIPE


def test_application_that_blocks_blocks_one_worker_only(start, folder):
    server = start("--workers", "2")
    with lab.connect(server.port) as client:
        client.sendall(get(f"/waits?{folder}/come", CLOSE))
        time.sleep(0.1)
        for _ in range(10):
            assert fetch(server, "/says_pid").status == 200
        (folder / "come").touch()
        assert lab.read_until(client, b"waited")


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_workers_as_it_is_told(start, count):
    server = start("--workers", str(count))
    assert lab.eventually(lambda: len(workers(server)) == count)


def test_a_worker_for_each_core_if_it_is_told_nothing(start_stage):
    server = start_stage(LAST, APPS)
    assert lab.eventually(lambda: len(workers(server)) == os.cpu_count())


def test_worker_that_was_killed_is_replaced_at_once(start):
    server = start()
    lab.eventually(lambda: len(workers(server)) == 2)
    for _ in range(5):
        victim = min(workers(server))
        os.kill(victim, signal.SIGKILL)
        assert_replaced(server, {victim}, within=3)
        assert fetch(server, "/says_pid").status == 200
    assert lab.eventually(lambda: not lab.zombies(server.pid))


def test_workers_end_when_the_master_was_killed(start):
    server = start()
    lab.eventually(lambda: len(workers(server)) == 2)
    family = workers(server)
    with lab.connect(server.port) as idle:
        idle.sendall(get("/says_pid"))
        assert lab.read_until(idle, b"\r\n\r\n")
        os.kill(server.pid, signal.SIGKILL)
        server.wait_until_dead()
        ended = lab.eventually(lambda: not any(map(lab.process, family)), 15)
    assert ended, f"{[lab.process(pid) for pid in family]} are still there."
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", server.port))


@pytest.mark.parametrize(("count", "others"), [(1, False), (2, True)])
def test_application_is_told_whether_there_are_other_processes(start, count, others):
    server = start("--workers", str(count))
    assert f"wsgi.multiprocess={others}\n".encode() in fetch(server).body


# Children that the master did not make


def test_child_from_before_its_program_is_buried(start, folder):
    """sh has left it behind: exec keeps the process, and with it its children."""
    server = start(behind=[*WITH_A_CHILD, str(folder / "come")])
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 3)
    (folder / "come").touch()
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 2), lab.children(server.pid)
    assert_lives(server)


def test_child_from_before_its_program_does_not_keep_it_from_stopping(start, folder):
    server = start(behind=[*WITH_A_CHILD, str(folder / "come")])
    server.process.terminate()
    assert server.wait_until_dead(10) == 0
    (folder / "come").touch()


@linux_only
def test_orphan_that_it_has_inherited_is_buried(start, folder):
    """As process 1 of a container it inherits all orphans; so does a subreaper."""
    server = start(behind=AS_SUBREAPER, application=PROCESSES)
    assert fetch(server, f"/leaves_an_orphan?{folder}/come").body == b"left"
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 3), "it has inherited one"
    (folder / "come").touch()
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 2), lab.children(server.pid)
    assert_lives(server)


def assert_lives(server):
    """It serves, and replaces a worker that is killed."""
    assert server.exit_status is None, server.stderr
    assert fetch(server, "/says_pid").status == 200
    assert len(workers(server)) == 2, server.stderr
    victim = min(workers(server))
    os.kill(victim, signal.SIGKILL)
    assert_replaced(server, {victim}, within=5)
    assert "Traceback" not in server.stderr


# Nobody reads what it says


@pytest.fixture
def unheard(start):
    """(server, its master's PID): stdout and stderr are a pipe whose reader has left."""
    server = start("--workers", "2", behind=READER_LEAVES,
                   application="tests.apps.silent_apps:app")
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 1), "head has left"
    [master] = lab.children(server.pid)
    return server, master.pid


def living_children(master):
    return {child.pid for child in lab.children(master) if child.state != "zombie"}


@needs("head")
def test_worker_s_death_does_not_end_a_master_whom_nobody_reads(unheard):
    server, master = unheard
    for _ in range(2):
        assert lab.eventually(lambda: len(living_children(master)) == 2)
        victim = min(living_children(master))
        os.kill(victim, signal.SIGKILL)
        assert lab.eventually(lambda: victim not in living_children(master)  # noqa: B023
                              and len(living_children(master)) == 2, 5), lab.process(master)
        assert fetch(server, "/says_pid").status == 200


@needs("head")
def test_request_that_fails_is_answered_though_nobody_reads_why(unheard):
    server, master = unheard
    family = living_children(master)
    for _ in range(5):
        assert fetch(server, "/raises/now").status == 500
        assert fetch(server, "/says_pid").status == 200
    assert living_children(master) == family


@needs("head")
def test_it_stops_though_nobody_reads_it(unheard):
    server, master = unheard
    os.kill(master, signal.SIGTERM)
    assert lab.eventually(lambda: not server.listens())
    server.wait_until_dead(10)


# The application has processes and signals of its own


@pytest.mark.parametrize("name", ["kills_its_child", "terminates_its_process"])
@pytest.mark.filterwarnings("ignore")
def test_sigterm_ends_a_child_of_the_application_and_not_its_worker(start, name):
    server = start("--workers", "1", application=PROCESSES)
    family = workers(server)
    assert fetch(server, f"/{name}").body == b"-15"
    retired = lab.eventually(lambda: workers(server) != family, 1)
    assert not retired, f"The worker was {family}, now there is {workers(server)}."
    assert lab.ask(server.port, get("/says_pid", CLOSE)).status == 200


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=lambda signum: signum.name)
def test_signal_to_a_worker_alone_does_nothing(start, signum):
    """Workers are told by their master, and by nobody else."""
    server = start("--workers", "1")
    family = workers(server)
    for pid in family:
        os.kill(pid, signum)
    assert not lab.eventually(lambda: workers(server) != family, 0.5), server.stderr
    assert fetch(server, "/says_pid").status == 200


def test_asyncio_s_signals_do_not_keep_a_worker_from_being_replaced(start):
    server = start("--workers", "1", application=PROCESSES)
    for _ in range(2):
        before = workers(server)
        assert fetch(server, "/heeds_signals_with_asyncio").status == 200
        os.kill(server.pid, signal.SIGHUP)
        assert_replaced(server, before, within=5, count=1)


def test_asyncio_s_signals_do_not_keep_it_from_stopping(start, stop):
    server = start("--workers", "1", application=PROCESSES)
    assert fetch(server, "/heeds_signals_with_asyncio").status == 200
    stop(server)
    assert server.wait_until_dead(5) == 0
