"""Claim 3.34: to stop is not to cut off. What is in flight is finished, within a time."""

import os
import signal
import time

import pytest

import lab
from tests.helpers.capstone import (
    CLOSE,
    GATED,
    PROCESSES,
    are_loaded,
    get,
    is_at_its_end,
    says,
    workers,
)
from tests.helpers.complete import Stream, fetch, next_answer
from tests.helpers.scripts import seconds

pytestmark = pytest.mark.claim("3.34")


@pytest.mark.parametrize("name", ["waits", "waits_between_blocks", "waits_after_write"])
def test_it_finishes_what_is_in_flight_and_stops(start, stop, name, folder):
    server = start("--workers", "1")
    family = server.members()
    with lab.connect(server.port) as client:
        client.sendall(get(f"/{name}?{folder}/come"))
        if name != "waits":
            lab.read_until(client, b"one ")
        time.sleep(0.2)
        stop(server)
        (folder / "come").touch()
        assert lab.read_until(client, b"waited" if name == "waits" else b"two")
        lab.read_until(client, b"no such end")
    assert server.wait_until_dead(10) == 0
    assert lab.eventually(lambda: not any(map(lab.process, family)))
    assert server.stderr == ""


def test_it_sends_a_long_answer_to_its_end_and_stops(start, stop):
    server = start("--workers", "1", TIMEOUT=60)
    with lab.connect(server.port) as client:
        stream = Stream(client)
        client.sendall(get("/streams?30"))
        stream.peek(1)
        stop(server)
        assert len(next_answer(stream).body) == 30 << 20
        assert server.wait_until_dead(10) == 0, "it waits for no other request"


def test_idle_connections_do_not_keep_it_from_stopping(start, stop):
    server = start(TIMEOUT=60)
    with lab.connect(server.port) as silent, lab.connect(server.port) as idle:
        idle.sendall(get("/says_pid"))
        assert lab.read_until(idle, b"\r\n\r\n")
        stop(server)
        assert server.wait_until_dead(10) == 0
        assert is_at_its_end(silent)
    assert server.stderr == ""


def has_heard(server):
    """Whether the server lets nobody in any more."""
    return lab.eventually(lambda: not server.listens())


@pytest.mark.parametrize("path", ["/says_pid", "/returns_generator"])
def test_last_answer_says_that_it_is_the_last(start, path):
    """A request of which half is there when the server is told to stop is in flight."""
    server = start("--workers", "1")
    request = get(path)
    with lab.connect(server.port) as client:
        stream = Stream(client)
        client.sendall(get("/says_pid") + request[:20])
        assert next_answer(stream).status == 200
        server.process.terminate()
        assert has_heard(server)
        client.sendall(request[20:])
        answer = next_answer(stream)
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"
        assert stream.read() == b""
    assert server.wait_until_dead(10) == 0


def test_pipelined_request_that_came_before_the_stop_is_answered(start, folder):
    """The stream before it has promised that the connection stays."""
    server = start("--workers", "1", application=PROCESSES)
    with lab.connect(server.port) as client:
        stream = Stream(client)
        client.sendall(get(f"/ticks_until?{folder}/come") + get("/says_pid"))
        assert stream.peek(1), "the stream has begun"
        server.process.terminate()
        assert has_heard(server)
        (folder / "come").touch()
        assert next_answer(stream).body.endswith(b"two")
        answer = next_answer(stream)
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert server.wait_until_dead(10) == 0


@pytest.mark.parametrize("name", ["ticks", "sleeps_for_ever"])
def test_what_does_not_end_is_cut_off_after_grace(start, name):
    """And not before: GRACE is two seconds here."""
    server = start("--workers", "1", application=PROCESSES, constants={"GRACE": 2})
    family = server.members()
    with lab.connect(server.port, timeout=0.2) as client:
        client.sendall(get(f"/{name}"))
        assert client.recv(100) if name == "ticks" else says(server, "hung")
        server.process.terminate()
        over = []

        def is_over():
            if name == "ticks" and not over:  # who reads all it can get is never late
                over.extend(reads_to_the_end(client))
            return server.exit_status is not None

        took = seconds(lambda: lab.eventually(is_over, 15))
        server.wait_until_dead(1)
    assert took > 1.5, f"It ended after {took:.1f} s."
    assert lab.eventually(lambda: not any(map(lab.process, family)))


def reads_to_the_end(client):
    """Read what there is; not empty if that was the end."""
    try:
        return [] if client.recv(1 << 20) else ["end"]
    except TimeoutError:
        return []
    except ConnectionError:
        return ["reset"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=lambda signum: signum.name)
def test_who_tells_it_twice_does_not_wait(start, folder, signum):
    server = start("--workers", "1", application=PROCESSES)
    family = server.members()
    with lab.connect(server.port) as client:
        client.sendall(get(f"/ticks_until?{folder}/come"))
        assert lab.read_until(client, b"one ")
        os.kill(server.pid, signum)
        assert has_heard(server)
        assert server.exit_status is None, "it waits for the client"
        os.kill(server.pid, signum)
        server.wait_until_dead(5)
    assert lab.eventually(lambda: not any(map(lab.process, family)))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=lambda signum: signum.name)
def test_signal_to_the_whole_group_counts_once(start, folder, signum):
    """Though one of the group is a worker that is about to start. Here that one waits in its
    import, and another has a request in flight."""
    gate = folder / "gate"
    gate.touch()
    server = start("--workers", "1", application=GATED, GATE=gate)
    with lab.connect(server.port) as client:
        client.sendall(get(f"/ticks_until?{folder}/come", CLOSE))
        assert lab.read_until(client, b"one ")
        gate.unlink()
        os.kill(server.pid, signal.SIGHUP)
        assert says(server, "a worker starts", 2)
        os.killpg(server.pid, signum)
        time.sleep(0.3)
        gate.touch()
        assert has_heard(server)
        (folder / "come").touch()
        assert b"two" in lab.read_until(client, b"no such end"), "it was cut off"
    assert server.wait_until_dead(10) == 0


def test_thread_of_the_application_does_not_keep_it_for_ever(start):
    """A thread that is no daemon, which Python would wait for: GRACE is the end of that as well."""
    server = start("--workers", "1", application=PROCESSES, constants={"GRACE": 1})
    family = server.members()
    assert fetch(server, "/leaves_a_thread").status == 200
    server.process.terminate()
    server.wait_until_dead(8)
    assert lab.eventually(lambda: not any(map(lab.process, family)))


def test_sigterm_at_its_start_ends_it(start, folder):
    """The import of its application takes as long as it likes."""
    server = start("--workers", "2", application=GATED, GATE=folder / "gate", ready=False)
    assert says(server, "a worker starts")
    server.process.terminate()
    server.wait_until_dead(5)
    assert lab.eventually(lambda: not server.members()), server.members()


def test_sigterm_during_a_reload_ends_it(start, folder):
    gate = folder / "gate"
    gate.touch()
    server = start("--workers", "2", application=GATED, GATE=gate)
    assert are_loaded(server, 2)
    gate.unlink()
    os.kill(server.pid, signal.SIGHUP)
    assert says(server, "a worker starts", 3)
    server.process.terminate()
    server.wait_until_dead(5)
    assert lab.eventually(lambda: not server.members()), server.members()


def test_sighup_after_sigterm_changes_nothing(start, folder):
    server = start("--workers", "1", application=PROCESSES)
    with lab.connect(server.port) as client:
        client.sendall(get(f"/ticks_until?{folder}/come", CLOSE))
        assert lab.read_until(client, b"one ")
        server.process.terminate()
        assert has_heard(server)
        os.kill(server.pid, signal.SIGHUP)
        assert not lab.eventually(lambda: len(workers(server)) != 1, 0.3)
        (folder / "come").touch()
        assert lab.read_until(client, b"two")
    assert server.wait_until_dead(10) == 0
