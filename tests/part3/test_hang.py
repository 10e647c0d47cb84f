"""Claim 3.35: a worker that hangs is found out and replaced, and says where it hung."""

import os
import signal
from contextlib import ExitStack

import pytest

import lab
from tests.helpers.capstone import (
    CLOSE,
    GATED,
    PROCESSES,
    Asker,
    are_loaded,
    assert_replaced,
    get,
    is_at_its_end,
    says,
    stop_asking,
    workers,
)
from tests.helpers.complete import Stream, fetch, next_answer

pytestmark = pytest.mark.claim("3.35")
HANG_TIMEOUT = "3"  # seconds: on a busy machine an import takes one or two
HANGS = pytest.mark.parametrize("name", ["sleeps_for_ever", "loops_for_ever"])


def assert_says_where(server, function, file="of_workers.py"):
    """On stderr stands the function, in its file, as faulthandler writes it."""
    assert says(server, f"in {function}"), server.stderr
    assert file in server.stderr


@HANGS
def test_worker_that_hangs_says_where_and_is_replaced(start, name):
    server = start("--workers", "2", "--hang-timeout", HANG_TIMEOUT, application=PROCESSES)
    assert lab.eventually(lambda: len(workers(server)) == 2)
    before = workers(server)
    with lab.connect(server.port) as client:
        client.sendall(get(f"/{name}"))
        assert says(server, "hung\n")
        served = []

        def is_replaced():  # meanwhile the other one serves
            served.append(fetch(server, "/says_pid").status)
            return before - workers(server)

        hung = lab.eventually(is_replaced, 15)
        assert len(hung) == 1, server.stderr
        assert set(served) == {200}
        assert is_at_its_end(client)
    assert_says_where(server, name)
    assert_replaced(server, hung, within=10)
    assert fetch(server, "/says_pid").status == 200


def test_hang_timeout_of_0_is_never(start, folder):
    server = start("--workers", "1", "--hang-timeout", "0", application=PROCESSES)
    family = workers(server)
    with lab.connect(server.port) as client:
        client.sendall(get(f"/begins_and_waits?{folder}/come", CLOSE))
        assert says(server, "begun")
        assert not lab.eventually(lambda: workers(server) != family, 2)
        (folder / "come").touch()
        assert lab.read_until(client, b"waited").endswith(b"waited")
    assert workers(server) == family


@pytest.mark.thorough
def test_worker_that_idles_does_not_hang(start):
    server = start("--workers", "2", "--hang-timeout", HANG_TIMEOUT)
    assert lab.eventually(lambda: len(workers(server)) == 2)
    family = workers(server)
    assert not lab.eventually(lambda: workers(server) != family, 4), server.stderr
    assert server.stderr == ""


def test_worker_that_is_busy_does_not_hang(start):
    server = start("--workers", "1", "--hang-timeout", HANG_TIMEOUT, "--quiet")
    family = workers(server)
    askers = [Asker(server.port, get("/says_pid") * 50) for _ in range(4)]
    for asker in askers:
        asker.converse = lambda client, stream, asker=asker: pipeline(asker, client, stream)
        asker.start()
    replaced = lab.eventually(lambda: workers(server) != family, 5, 0.1)
    assert stop_asking(askers) > 100
    assert not replaced, server.stderr


def pipeline(asker, client, stream):
    """50 requests at once, and again."""
    while not asker.over.is_set():
        client.sendall(asker.requests[0])
        for _ in range(50):
            assert next_answer(stream).status == 200
        asker.served += 50


@pytest.mark.thorough
def test_slow_requests_one_after_another_are_no_hang(start):
    """Each takes less than half of --hang-timeout; three come at once, two on each connection."""
    server = start("--workers", "1", "--hang-timeout", HANG_TIMEOUT, application=PROCESSES)
    [worker] = workers(server)
    with ExitStack() as stack:
        clients = [stack.enter_context(lab.connect(server.port, timeout=30)) for _ in range(3)]
        for client in clients:
            client.sendall(get("/dozes") + get("/dozes", CLOSE))
        for client in clients:
            stream = Stream(client)
            answers = [next_answer(stream) for _ in range(2)]
            assert [answer.body for answer in answers] == [str(worker).encode()] * 2
    assert server.stderr == ""


# Threads that hang


@pytest.mark.claim("3.38")
def test_one_hung_thread_of_two_does_no_harm_and_two_do(start):
    server = start("--workers", "1", "--threads", "2", "--hang-timeout", HANG_TIMEOUT,
                   application=PROCESSES)
    [worker] = workers(server)
    with lab.connect(server.port) as first, lab.connect(server.port) as second:
        first.sendall(get("/sleeps_for_ever"))
        assert says(server, "hung\n", 1)
        alone = lab.eventually(
            lambda: fetch(server, "/says_pid").body != str(worker).encode(), 5, 0.1)
        assert not alone, server.stderr
        assert workers(server) == {worker}
        assert "in sleeps_for_ever" not in server.stderr
        second.sendall(get("/sleeps_for_ever"))
        assert says(server, "hung\n", 2)
        assert is_at_its_end(second)
    assert_says_where(server, "sleeps_for_ever")
    assert_replaced(server, {worker}, within=10, count=1)
    assert fetch(server, "/says_pid").status == 200


@pytest.mark.thorough
@pytest.mark.claim("3.38")
def test_busy_threads_do_not_hang(start):
    """All of them have work all the time, and each request is short."""
    server = start("--workers", "1", "--threads", "2", "--hang-timeout", HANG_TIMEOUT)
    family = workers(server)
    askers = [Asker(server.port, get("/naps")) for _ in range(6)]
    for asker in askers:
        asker.start()
    replaced = lab.eventually(lambda: workers(server) != family, 5, 0.1)
    stop_asking(askers)
    assert not replaced, server.stderr


# An import that hangs


def test_import_that_hangs_at_its_start_ends_it_and_says_where(start, folder):
    server = start("--workers", "2", "--hang-timeout", HANG_TIMEOUT, application=GATED,
                   GATE=folder / "gate", ready=False)
    assert server.wait_until_dead(20) != 0
    assert_says_where(server, "hold_up_the_import", "waits_at_import.py")
    assert "Serving" not in server.stdout


def test_import_that_hangs_at_a_reload_says_where_and_the_old_ones_stay(start, folder):
    gate = folder / "gate"
    gate.touch()
    server = start("--workers", "2", "--hang-timeout", HANG_TIMEOUT, application=GATED, GATE=gate)
    assert are_loaded(server, 2)
    before = workers(server)
    gate.unlink()
    os.kill(server.pid, signal.SIGHUP)
    served = set()

    def has_said_where():
        served.add(int(fetch(server, "/says_pid").body))
        return "in hold_up_the_import" in server.stderr

    assert lab.eventually(has_said_where, 8), server.stderr
    assert "waits_at_import.py" in server.stderr
    assert served <= before <= workers(server)
    assert int(fetch(server, "/says_pid").body) in before
