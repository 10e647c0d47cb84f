"""Claim 3.32: every wait has an end, and there is a bound on connections."""

import time
from contextlib import ExitStack, contextmanager

import pytest

import lab
from tests.helpers import complete
from tests.helpers.capstone import CLOSE, PROCESSES, get, workers
from tests.helpers.complete import Stream, fetch, next_answer
from tests.helpers.scripts import linux_only, needs, seconds
from tests.part2.test_refusals import ECHOES, LATE, rows
from tests.spec.subject import nonblocking

pytestmark = pytest.mark.claim("3.32")
INSIDE = get("/says_pid")
ROUNDS = 10


@pytest.mark.parametrize("request_", rows(LATE))
def test_late_behind_a_good_request(serve, request_):
    with lab.connect(serve(complete.LAST, ECHOES, TIMEOUT=0.5).port) as client:
        stream = Stream(client)
        client.sendall(get("/good") + request_)
        assert [next_answer(stream).status for _ in range(2)] == [200, 408]
        assert stream.read() == b""


def test_idle_connection_is_closed_without_a_word(serve):
    """Nothing was asked, so nothing is answered."""
    with lab.connect(serve(complete.LAST, ECHOES, TIMEOUT=0.5).port) as client:
        stream = Stream(client)
        client.sendall(get("/good"))
        assert next_answer(stream).status == 200
        assert stream.read() == b""


# A bound on connections


@pytest.fixture
def small(start):
    """One worker with 64 descriptors, and time for silent clients."""
    return start("--workers", "1", files=64, TIMEOUT=60)


@contextmanager
def crowd(server, clients=150):
    """So many silent clients, more than can come in; none stays afterwards."""
    with ExitStack() as stack:
        for _ in range(clients):
            stack.enter_context(nonblocking(server.port))
        yield


def ask_often(client, stream, times=150):
    for _ in range(times):
        client.sendall(INSIDE)
        assert next_answer(stream).status == 200


@linux_only
@needs("bash")
def test_clients_who_are_in_do_not_notice_that_others_wait(small):
    """The same requests, with and without a queue outside: thrice as long at most.

    The shortest of several rounds: the others had the machine to share.
    """
    with lab.connect(small.port) as client:
        stream = Stream(client)
        ask_often(client, stream, 20)
        alone = min(seconds(lambda: ask_often(client, stream)) for _ in range(ROUNDS))
        with crowd(small):
            assert lab.eventually(lambda: lab.listeners(small.port)[0].waiting > 50)
            beside = min(seconds(lambda: ask_often(client, stream)) for _ in range(ROUNDS))
    assert beside < 3 * alone, f"150 requests took {alone:.3f} s, and then {beside:.3f} s."


@linux_only
@needs("bash")
def test_below_the_limit_it_stops_accepting(small):
    """It keeps some descriptors for itself: a body that goes to a file, a file of the application.
    """
    [worker] = workers(small)
    with lab.connect(small.port) as client:
        stream = Stream(client)
        ask_often(client, stream, 1)
        with crowd(small):
            assert lab.eventually(lambda: lab.listeners(small.port)[0].waiting > 50)
            assert not lab.eventually(lambda: lab.descriptor_count(worker) >= 64, 0.3), (
                "All of its descriptors are taken.")
            body = bytes(2_000_000)
            client.sendall(b"POST /says_size HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n"
                           + body)
            assert next_answer(stream).body == b"2000000"


@linux_only
@needs("bash")
def test_when_there_is_room_who_waits_comes_in(small):
    with ExitStack() as early:
        silent = [early.enter_context(lab.connect(small.port)) for _ in range(150)]
        assert lab.eventually(lambda: lab.listeners(small.port)[0].waiting > 50)
        with lab.connect(small.port) as late:
            late.sendall(get("/says_pid", CLOSE))
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.recv(1)
            for client in silent:
                client.close()
            late.settimeout(10)
            assert lab.read_until(late, b"no such end").startswith(b"HTTP/1.1 200")
    assert small.stderr == ""


@linux_only
@needs("bash")
def test_it_sleeps_while_it_is_full(small):
    with crowd(small):
        assert lab.eventually(lambda: lab.listeners(small.port)[0].waiting > 50)
        family = small.members()
        before = lab.cpu_seconds(family)
        time.sleep(1)
        used = lab.cpu_seconds(family) - before
    assert used < 0.15, f"In a second it used {used:.2f} s of processor time."


def test_flood_of_connections_does_not_starve_those_who_are_in(start, folder):
    """While its worker is busy, 200 new clients queue up; then one who is in asks. The application
    numbers the requests: the old client's is not the last."""
    server = start("--workers", "1", application=PROCESSES)
    with ExitStack() as stack, lab.connect(server.port) as client:
        stream = Stream(client)
        client.sendall(get("/counts"))
        assert next_answer(stream).body == b"1"
        blocker = stack.enter_context(lab.connect(server.port))
        blocker.sendall(get(f"/begins_and_waits?{folder}/come", CLOSE))
        assert lab.eventually(lambda: "begun" in server.stderr)
        for _ in range(200):
            stack.enter_context(lab.connect(server.port)).sendall(get("/counts", CLOSE))
        client.sendall(get("/counts"))
        (folder / "come").touch()
        number = int(next_answer(stream).body)
        assert number < 130, f"{number - 2} of 200 new clients were served before it."
        assert fetch(server, "/counts").status == 200
