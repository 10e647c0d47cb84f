"""Claim 3.36: SIGHUP replaces all workers, new code and all, and no request is lost."""

import os
import signal
import threading
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
    reload,
    says,
    stop_asking,
    workers,
)
from tests.helpers.complete import Stream, fetch, next_answer, post
from tests.helpers.scripts import needs, one_of_each

pytestmark = pytest.mark.claim("3.36")


def test_sighup_replaces_the_workers_and_refuses_nobody(start, folder):
    """A client that asks over and over never fails, nor does one that waits for its answer."""
    server = start()
    over, failures, served = threading.Event(), [], []

    def ask():
        while not over.is_set():
            answer = lab.ask(server.port, get("/says_pid", CLOSE))
            (served if answer.status == 200 and answer.end else failures).append(answer)

    asker = threading.Thread(target=ask)
    with lab.connect(server.port) as waiting:
        waiting.sendall(get(f"/waits?{folder}/come", CLOSE))
        asker.start()
        for _ in range(2):
            before = workers(server)
            os.kill(server.pid, signal.SIGHUP)
            (folder / "come").touch()
            assert_replaced(server, before, within=15)
        over.set()
        asker.join()
        assert b"waited" in lab.read_until(waiting, b"waited")
    assert not failures, f"{len(failures)} of {len(served)} failed, such as {failures[0]}"
    assert len(served) > 20
    assert server.exit_status is None
    assert server.stderr == ""


# A kept connection, and a reload


@pytest.fixture
def one(start):
    """A server with one worker."""
    return start("--workers", "1", application=PROCESSES)


@pytest.mark.parametrize("path", ["/says_pid", "/returns_generator"])
def test_kept_connection_may_ask_once_more_and_is_told(one, path):
    [worker] = workers(one)
    with lab.connect(one.port) as client:
        stream = Stream(client)
        client.sendall(get("/says_pid"))
        assert next_answer(stream).headers["Connection"] is None
        reload(one)
        client.sendall(get(path))
        answer = next_answer(stream)
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
        assert stream.read() == b""
    assert_replaced(one, {worker}, within=5, count=1)


def test_client_who_has_not_asked_yet_is_answered(one):
    """It came in before the reload."""
    [worker] = workers(one)
    with lab.connect(one.port) as client:
        assert lab.eventually(lambda: lab.queue(one.pid, one.port)[0] == 1)
        reload(one)
        client.sendall(get("/says_pid"))
        assert next_answer(Stream(client)).body == str(worker).encode()


@pytest.fixture
def in_flight(one, folder):
    """in_flight(path) is a client, and the Stream of what comes there, in the middle of an answer
    whose head has promised that the connection stays. Then come a reload, and the answer's end."""
    with lab.connect(one.port) as client:
        def in_flight(path, behind=b""):
            stream = Stream(client)
            client.sendall(get(path.format(folder)) + behind)
            assert b"HTTP/1.1 200" in stream.peek(1)
            reload(one)
            (folder / "come").touch()
            first = next_answer(stream)
            assert first.status == 200
            assert first.headers["Connection"] is None
            return client, stream
        yield in_flight


ALREADY_PROMISED = pytest.mark.parametrize(
    "path", ["/ticks_until?{}/come", "/returns_20_megabytes"], ids=["stream", "list"])


@ALREADY_PROMISED
def test_promise_made_before_the_reload_is_kept(in_flight, path):
    client, stream = in_flight(path)
    client.sendall(get("/says_pid"))
    answer = next_answer(stream)
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert stream.read() == b""


@ALREADY_PROMISED
def test_pipelined_request_is_answered_after_the_reload(in_flight, path):
    client, stream = in_flight(path, get("/says_pid"))
    answer = next_answer(stream)
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert stream.read() == b""


# Under load


PAGES = {
    "lists": (PROCESSES, ["/says_pid"]),
    "generators": (PROCESSES, ["/returns_generator", "/writes"]),
    "flask": ("tests.apps.in_flask:app", ["/page"]),
    "django": ("tests.apps.in_django:app", ["/page"]),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", one_of_each(lambda kind: "a reload", PAGES))
def test_no_request_is_lost_in_ten_reloads(start, kind):
    """On kept connections, and on connections made anew."""
    application, paths = PAGES[kind]
    server = start("--workers", "1", "--quiet", application=application)
    kept = [Asker(server.port, *map(get, paths)) for _ in range(4)]
    anew = Asker(server.port, *[get(path, CLOSE) for path in paths])
    reload_under_load(server, [*kept, anew])


def reload_under_load(server, askers):
    with ExitStack() as stack:
        stack.callback(lambda: [asker.over.set() for asker in askers])
        for asker in askers:
            asker.start()
        for _ in range(10):
            served = sum(asker.served for asker in askers)
            reload(server)
            lab.eventually(lambda: sum(asker.served for asker in askers) > served + 10, 2)  # noqa: B023
            if any(asker.lost for asker in askers):
                break
    assert stop_asking(askers) >= 50
    assert server.exit_status is None
    assert "Traceback" not in server.stderr


@pytest.mark.thorough
@pytest.mark.timeout(120)
@needs("nginx")
def test_no_post_is_lost_behind_nginx(start, start_nginx):
    """nginx keeps its connections to us; a POST that had no answer it does not send again."""
    server = start("--workers", "2", "--quiet")
    port = start_nginx(
        'proxy_pass http://ours; proxy_http_version 1.1; proxy_set_header Connection "";',
        f"upstream ours {{ server 127.0.0.1:{server.port}; keepalive 16; keepalive_timeout 5s; }}")
    request = post(b"Content-Length: 4").replace(b"/hello", b"/echoes")
    stream = post(b"Content-Length: 4").replace(b"/hello", b"/returns_generator")
    reload_under_load(server, [Asker(port, request, stream) for _ in range(4)])


# What does not come up takes nobody's place


def test_old_worker_serves_until_the_new_one_is_ready(start, folder):
    gate = folder / "gate"
    gate.touch()
    server = start("--workers", "1", application=GATED, GATE=gate)
    before = workers(server)
    gate.unlink()
    os.kill(server.pid, signal.SIGHUP)
    assert says(server, "a worker starts", 2)
    for _ in range(20):
        assert int(fetch(server, "/says_pid").body) in before
    gate.touch()
    assert_replaced(server, before, within=20, count=1)
    assert int(fetch(server, "/says_pid").body) not in before


def test_second_reload_is_heeded_though_the_first_one_fails(start, folder):
    """It is asked for while a worker loads what cannot be loaded."""
    gate = folder / "gate"
    gate.touch()
    server = start("--workers", "1", application=GATED, GATE=gate)
    before = workers(server)
    gate.unlink()
    os.kill(server.pid, signal.SIGHUP)
    assert says(server, "a worker starts", 2)
    [loading] = workers(server) - before
    os.kill(server.pid, signal.SIGHUP)
    gate.touch()
    os.kill(loading, signal.SIGKILL)
    assert_replaced(server, before | {loading}, within=20, count=1)


def test_workers_are_replaced_one_by_one(start, folder):
    """There is one more than it is told, and no more: memory is not free."""
    gate = folder / "gate"
    gate.touch()
    server = start("--workers", "3", application=GATED, GATE=gate)
    assert are_loaded(server, 3)
    before = workers(server)
    gate.unlink()
    os.kill(server.pid, signal.SIGHUP)
    assert says(server, "a worker starts", 4)
    assert not says(server, "a worker starts", 5, within=0.5)
    assert before < workers(server)
    gate.touch()
    assert_replaced(server, before, within=15, count=3)


@pytest.mark.parametrize(("how", "reason"), [
    ("raises", "ZeroDivisionError"), ("ends", "status 3")])
def test_old_workers_stay_if_the_application_fails_now(start, folder, how, reason):
    """And it says why nothing becomes of the reload."""
    well = folder / "well"
    well.touch()
    server = start(application="tests.apps.fails_at_start:app", WELL=well, HOW=how)
    assert are_loaded(server, 2)
    before = workers(server)
    well.unlink()
    os.kill(server.pid, signal.SIGHUP)
    assert says(server, "a worker starts", 3)
    assert says(server, reason), f"It does not say why: {server.stderr!r}"
    assert not lab.eventually(lambda: not before <= workers(server), 0.5)
    for _ in range(5):
        assert lab.ask(server.port, get("/says_pid", CLOSE)).status == 200
    well.touch()
    os.kill(server.pid, signal.SIGHUP)
    assert_replaced(server, before, within=15)


def test_thread_of_the_application_does_not_keep_an_old_worker_for_ever(start):
    """A thread that is no daemon, which Python would wait for."""
    server = start("--workers", "1", "--hang-timeout", "3", application=PROCESSES,
                   constants={"GRACE": 1})
    before = workers(server)
    assert fetch(server, "/leaves_a_thread").status == 200
    os.kill(server.pid, signal.SIGHUP)
    assert_replaced(server, before, within=20, count=1)


def test_request_that_takes_long_is_finished_by_an_old_worker(one, folder):
    [worker] = workers(one)
    with lab.connect(one.port) as client:
        client.sendall(get(f"/ticks_until?{folder}/come", CLOSE))
        assert lab.read_until(client, b"one ")
        for _ in range(2):
            reload(one)
        assert worker in workers(one)
        (folder / "come").touch()
        assert b"two" in lab.read_until(client, b"no such end")
    assert lab.eventually(lambda: len(workers(one)) == 1)
