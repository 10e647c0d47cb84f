"""Claim 3.38: threads for applications that block. The loop keeps the sockets, a thread calls the
application; who waits for a thread holds up nobody."""

import os
import signal
import time
from contextlib import ExitStack
from http.client import IncompleteRead

import pytest

import lab
from tests.helpers.capstone import (
    CLOSE,
    PROCESSES,
    Asker,
    assert_replaced,
    get,
    is_at_its_end,
    reload,
    says,
    stop_asking,
    workers,
)
from tests.helpers.complete import Stream, chunks, fetch, line, next_answer, post
from tests.helpers.scripts import linux_only

pytestmark = pytest.mark.claim("3.38")


@pytest.fixture
def threads(start):
    """threads(4) starts one worker with so many threads."""
    def threads(count, *options, **more):
        return start("--workers", "1", "--threads", str(count), *options,
                     application=PROCESSES, **more)
    return threads


@pytest.fixture
def ask(servers):
    """ask(server, request) is a connection on which that was asked; open until the test ends."""
    def ask(server, request, timeout=20):
        client = servers.enter_context(lab.connect(server.port, timeout=timeout))
        client.sendall(request)
        return client
    return ask


def answer_of(client):
    return next_answer(Stream(client))


# Side by side


def test_four_requests_are_in_the_application_at_once(threads, ask):
    """It answers none of them before the fourth has come."""
    server = threads(4)
    clients = [ask(server, get("/meets_three_others")) for _ in range(4)]
    assert [answer_of(client).body for client in clients] == [b"met"] * 4


def test_no_more_requests_at_once_than_threads(threads, ask, folder):
    server = threads(3)
    clients = [ask(server, get(f"/begins_and_waits?{folder}/come")) for _ in range(5)]
    assert says(server, "begun", 3)
    assert not says(server, "begun", 4, within=0.5)
    (folder / "come").touch()
    assert [answer_of(client).body for client in clients] == [b"waited"] * 5


@pytest.mark.parametrize(("count", "multithread"), [(0, False), (4, True)])
def test_application_is_told_whether_there_are_threads(threads, count, multithread):
    assert f"wsgi.multithread={multithread}\n".encode() in fetch(threads(count)).body


def test_with_0_threads_the_loop_calls_the_application(threads):
    """asyncio's signal handlers are for the main thread only: it is that."""
    server = threads(0)
    assert fetch(server, "/heeds_signals_with_asyncio").status == 200


# Nobody else waits


@pytest.fixture
def taken(threads, ask, folder):
    """A server whose only thread is taken, and for which another request waits; (server, come):
    come is the file that they wait for. Both are answered in the end."""
    server = threads(1, TIMEOUT=1.5)
    waiting = [ask(server, get(f"/begins_and_waits?{folder}/come", CLOSE)) for _ in range(2)]
    assert says(server, "begun")
    yield server, folder / "come"
    (folder / "come").touch()
    assert [answer_of(client).body for client in waiting] == [b"waited"] * 2


def test_refusals_need_no_thread(taken, ask):
    server, _ = taken
    assert answer_of(ask(server, line(b"GET / nonsense"))).status == 400
    assert answer_of(ask(server, chunks(b"nonsense\r\n"))).status == 400


def test_time_limits_of_others_need_no_thread(taken, ask):
    """A silent client is let go, and one that does not finish its request is told so."""
    server, _ = taken
    silent, slow = ask(server, b""), ask(server, b"GET / HTTP/1.1\r\nHost:")
    assert answer_of(slow).status == 408
    assert is_at_its_end(silent)


def test_time_limits_do_not_run_while_the_server_works(taken):
    """Neither for the request that a thread has, nor for the one that waits for a thread."""
    time.sleep(3)  # and TIMEOUT is half of that; taken looks at the answers


def test_client_that_does_not_read_an_answer_holds_no_thread(threads, ask):
    server = threads(1)
    slow = ask(server, get("/returns_20_megabytes"))
    stream = Stream(slow)
    assert stream.peek(1)
    for _ in range(10):
        assert fetch(server, "/says_pid").status == 200
    assert len(next_answer(stream).body) == 20 << 20


def test_client_that_does_not_read_a_stream_holds_one_thread(threads, ask):
    """The stream is drawn in one thread, as fast as its client reads; it is one of two."""
    server = threads(2)
    slow = ask(server, get("/streams?20"))
    stream = Stream(slow)
    assert stream.peek(1)
    for _ in range(10):
        assert fetch(server, "/says_pid").status == 200
    assert len(next_answer(stream).body) == 20 << 20


@linux_only
def test_client_that_leaves_meanwhile_leaves_nothing_behind(threads, ask, folder):
    server = threads(1)
    for _ in range(3):
        assert fetch(server, "/says_pid").status == 200
    [worker] = workers(server)
    before = lab.descriptor_count(worker)
    for number, leave in enumerate([lab.reset, lambda client: client.close()] * 2, 1):
        come = folder / str(number)
        clients = [ask(server, get(f"/begins_and_waits?{come}")) for _ in range(2)]
        assert says(server, "begun", 2 * number - 1)
        for client in clients:
            leave(client)
        come.touch()
        assert fetch(server, "/says_pid").status == 200
    assert lab.eventually(lambda: lab.descriptor_count(worker) == before), lab.descriptors(worker)
    assert "Traceback" not in server.stderr
    assert workers(server) == {worker}


def test_iterable_is_closed_when_its_client_has_left(threads, ask):
    server = threads(1)
    client = ask(server, get("/streams"))
    assert lab.read_until(client, b"\r\n\r\n")
    lab.reset(client)
    assert says(server, "closed\n")
    assert fetch(server, "/says_pid").status == 200


# Answers as without threads


@pytest.mark.parametrize("path", [
    "/raises/now", "/exits/now", "/never_starts", "/sends_no_latin1", "/yields_text",
    "/is_cancelled"])
def test_application_that_fails_in_a_thread_gets_500(threads, path):
    """And the thread goes on to the next request."""
    server = threads(1)
    family = workers(server)
    for _ in range(3):
        assert fetch(server, path).status == 500
    assert lab.eventually(lambda: "Traceback (most recent call last)" in server.stderr)
    assert fetch(server, "/says_pid").status == 200
    assert workers(server) == family


def test_clients_that_close_when_their_thread_is_done_end_no_worker(threads):
    """The end of the connection and the thread's word may come to the loop in the same moment."""
    server = threads(1)
    family = workers(server)
    for _ in range(400):
        assert fetch(server, "/never_starts").status == 500
    assert workers(server) == family, server.stderr


def test_stream_that_fails_in_a_thread_is_cut_off(threads):
    server = threads(1)
    for _ in range(3):
        with pytest.raises(IncompleteRead):
            fetch(server, "/raises_after_a_block")
    assert fetch(server, "/says_pid").status == 200


def test_close_that_fails_in_a_thread_harms_nobody_else(threads):
    server = threads(1)
    for _ in range(3):
        lab.ask(server.port, get("/returns_closable?close", CLOSE))
        assert fetch(server, "/says_pid").status == 200


@pytest.mark.parametrize("count", [0, 4])
def test_pipelined_requests_are_answered_in_order(threads, ask, count):
    """Though the first takes longest, and each of them has a thread."""
    paths = ["/naps", "/returns_generator", "/says_url/1", "/writes", "/says_url/2"]
    client = ask(threads(count), b"".join(map(get, paths)) + get("/naps", CLOSE))
    stream = Stream(client)
    assert [next_answer(stream).body for _ in range(6)] == [
        b"rested", b"one two", b"http://localhost/says_url/1", b"one two three four",
        b"http://localhost/says_url/2", b"rested"]
    assert stream.read() == b""


@pytest.mark.parametrize("count", [0, 2])
def test_connections_are_kept_and_bodies_arrive(threads, count):
    server = threads(count)
    length = post(b"Content-Length: 4").replace(b"/hello", b"/echoes")
    chunked = chunks(b"4\r\nbody\r\n0\r\n\r\n").replace(b"/hello", b"/echoes")
    large = post(b"Content-Length: 2000000", body=bytes(2_000_000)).replace(
        b"/hello", b"/says_size")
    with lab.connect(server.port) as client:
        stream = Stream(client)
        for request, body in [(length, b"body"), (chunked, b"body"), (large, b"2000000")] * 3:
            client.sendall(request)
            assert next_answer(stream).body == body


def test_many_clients_of_few_threads(threads):
    """Kept connections and new ones, short answers and streams; none is lost or mixed up."""
    server = threads(4, "--quiet")
    askers = [Asker(server.port, get("/says_pid"), get("/returns_generator"), get("/streams?1"),
                    get("/naps")) for _ in range(10)]
    askers += [Asker(server.port, get("/says_pid", CLOSE)) for _ in range(4)]
    for asker in askers:
        asker.start()
    lab.eventually(lambda: sum(asker.served for asker in askers) > 500, 5)
    assert stop_asking(askers) > 100
    assert server.stderr.replace("a megabyte\n", "").replace("closed\n", "") == ""


# Stop and reload


def three_requests(server, ask, folder):
    """One of them has the only thread; two wait for it."""
    clients = [ask(server, get(f"/begins_and_waits?{folder}/come")) for _ in range(3)]
    assert says(server, "begun")
    assert lab.eventually(lambda: lab.queue(server.pid, server.port)[0] == 3)
    time.sleep(0.2)  # till the loop has read what the last one asked
    return clients


@linux_only
def test_it_answers_who_waits_for_a_thread_and_stops(threads, ask, stop, folder):
    server = threads(1)
    clients = three_requests(server, ask, folder)
    stop(server)
    assert lab.eventually(lambda: not server.listens())
    (folder / "come").touch()
    assert [answer_of(client).body for client in clients] == [b"waited"] * 3
    assert server.wait_until_dead(10) == 0


@linux_only
def test_reload_loses_nobody_who_waits_for_a_thread(threads, ask, folder):
    server = threads(1)
    before = workers(server)
    clients = three_requests(server, ask, folder)
    reload(server)
    assert before < workers(server)
    (folder / "come").touch()
    assert [answer_of(client).body for client in clients] == [b"waited"] * 3
    for client in clients:
        client.close()
    assert_replaced(server, before, within=10, count=1)


@pytest.mark.timeout(120)
def test_no_request_to_threads_is_lost_in_ten_reloads(threads):
    server = threads(2, "--quiet")
    askers = [Asker(server.port, get("/says_pid"), get("/returns_generator")) for _ in range(4)]
    askers += [Asker(server.port, get("/says_pid", CLOSE))]
    with ExitStack() as stack:
        stack.callback(lambda: [asker.over.set() for asker in askers])
        for asker in askers:
            asker.start()
        for _ in range(10):
            reload(server)
    assert stop_asking(askers) > 100


def test_thread_that_never_ends_does_not_keep_it_from_stopping(threads, ask):
    server = threads(2, constants={"GRACE": 1})
    ask(server, get("/sleeps_for_ever"))
    assert says(server, "hung")
    os.kill(server.pid, signal.SIGTERM)
    server.wait_until_dead(8)
