"""Claim 3.25: webserver3h.py, the WSGI server of part 2 made concurrent."""

import os
import random
import resource
import signal
import time
from contextlib import ExitStack

import pytest

import lab
from tests.helpers.scripts import linux_only, needs, seconds
from tests.spec.subject import nonblocking


@pytest.fixture
def start_app(start_stage):
    def start_app(stage, name, **options):
        return start_stage(stage, f"tests.apps.various:{name}", **options)
    return start_app


@pytest.mark.claim("3.25")
def test_two_slow_requests_take_as_long_as_one(start_app):
    """An application that takes a second, on 3h and on 2."""
    concurrent, iterative = start_app("3h", "sleeps"), start_app("2", "sleeps")
    assert lab.ask(concurrent.port).body == b"slept"
    assert seconds(lambda: lab.ask_at_once(concurrent.port, 2)) < 2
    assert seconds(lambda: lab.ask_at_once(iterative.port, 2)) >= 2


@pytest.mark.claim("3.25")
@pytest.mark.parametrize("application", ["wsgiapp", "flaskapp", "pyramidapp", "djangoapp"])
def test_128_at_once_are_all_served_and_reaped(application, start_stage):
    server = start_stage("3h", f"part2.{application}:app")
    answers = lab.ask_at_once(server.port, 128, timeout=50)
    assert [answer.status for answer in answers] == [200] * 128
    assert len({answer.body for answer in answers}) == 1
    lab.ask(server.port)  # a child that ends just before accept is reaped with the next one
    assert lab.eventually(lambda: server.stdout.count("Reaped child") >= 128)


@pytest.mark.claim("3.25")
def test_an_application_waits_for_its_own_children(start_app):
    """The server's reaper must not take the status of a program that the application ran."""
    server = start_app("3h", "runs_a_program")
    assert [lab.ask(server.port).body for _ in range(5)] == [b"status 7"] * 5


@pytest.mark.claim("3.25")
def test_environ_tells_of_the_other_processes(start_app):
    body = lab.ask(start_app("3h", "says_environ").port).body.decode()
    assert "wsgi.multiprocess=True\n" in body
    assert "wsgi.multithread=False\n" in body


@pytest.fixture
def in_flight(start_app, servers):
    """in_flight(): a 3h, and a client whose request takes a second and has begun."""
    def in_flight(application="sleeps", **options):
        server = start_app("3h", application, **options)
        client = servers.enter_context(lab.connect(server.port))
        client.sendall(lab.clients.REQUEST)
        assert lab.eventually(lambda: "> GET /hello" in server.stdout)
        return server, client
    return in_flight


def listens(server):
    """Whether it lets anybody in."""
    try:
        lab.connect(server.port).close()
    except ConnectionError:
        return False
    return True


@pytest.mark.claim("3.25")
@pytest.mark.parametrize("stop", [
    pytest.param(lambda server: server.process.terminate(), id="kill"),
    pytest.param(lambda server: os.killpg(server.pid, signal.SIGINT), id="ctrl-c"),
])
def test_who_is_in_flight_is_answered_and_nobody_else_let_in(stop, in_flight):
    server, client = in_flight()
    stop(server)
    assert lab.eventually(lambda: not listens(server))
    assert server.exit_status is None
    assert lab.read_until(client, b"slept").endswith(b"slept")
    assert server.wait_until_dead(3) == 0
    assert server.members() == []
    assert server.stderr == ""


@pytest.mark.claim("3.25")
def test_client_that_is_silent_keeps_it_for_a_few_seconds_and_no_longer(in_flight):
    server, client = in_flight()
    with lab.connect(server.port) as silent:
        assert lab.eventually(lambda: len(lab.children(server.pid)) == 2)
        server.process.terminate()
        assert lab.read_until(client, b"slept").endswith(b"slept")
        assert server.exit_status is None, "it waits for the other one"
        assert server.wait_until_dead(10) == 0
        assert server.members() == []
        assert lab.read_until(silent, b"no such end") == b""


@pytest.mark.claim("3.25")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_second_signal_is_the_end_of_all(signum, in_flight):
    server, client = in_flight()
    with lab.connect(server.port):
        assert lab.eventually(lambda: len(lab.children(server.pid)) == 2)
        server.process.terminate()
        assert lab.eventually(lambda: not listens(server))
        server.process.send_signal(signum)
        assert server.wait_until_dead(2) == 0, "a silent client is given three seconds otherwise"
        assert server.members() == []


@pytest.mark.claim("3.25")
def test_no_process_outlives_it_whenever_it_is_told_to_stop(start_stage):
    """Twice, a moment apart, while clients come."""
    for _ in range(15):
        server = start_stage("3h", "part2.wsgiapp:app")
        with ExitStack() as stack:
            for _ in range(10):
                stack.enter_context(nonblocking(server.port))
            time.sleep(random.uniform(0, 0.01))
            for _ in range(2):
                server.process.terminate()
                time.sleep(random.uniform(0, 0.01))
            lab.eventually(lambda: server.exit_status is not None, 0.1)  # noqa: B023
            server.process.terminate()  # the two may have come as one
            server.wait_until_dead(10)
            assert not server.members()


@linux_only
@pytest.mark.claim("3.25")
def test_where_there_is_no_descriptor_a_client_waits(start_stage):
    server = start_stage("3h", "part2.wsgiapp:app")
    assert lab.eventually(lambda: lab.sleeps_in(server.pid) == "accept")
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, hard))  # no new one beside 0, 1, 2
    assert lab.ask(server.port).status == 200, "accept has its descriptor before it falls asleep"
    with lab.connect(server.port, timeout=1) as client:
        client.sendall(lab.clients.REQUEST)
        before = lab.cpu_seconds([server.pid])
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert lab.cpu_seconds([server.pid]) - before < 0.2
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
        client.settimeout(10)
        assert lab.read_until(client, b"no such end").startswith(b"HTTP/1.1 200")


@needs("bash")
@pytest.mark.claim("3.25")
def test_where_there_is_no_process_clients_are_late_and_not_lost(start_limited):
    """Two processes: the server, and one that serves."""
    server = start_limited(processes=2)
    before = lab.cpu_seconds([server.pid])
    answers = lab.ask_at_once(server.port, 3, timeout=20)
    assert [answer.body for answer in answers] == [b"slept"] * 3
    ends = sorted(answer.end for answer in answers)
    assert ends[0] + 0.5 < ends[1] < ends[2] - 0.5, "one after another"
    assert lab.cpu_seconds([server.pid]) - before < 0.5


@linux_only
@needs("bash")
@pytest.mark.claim("3.25")
def test_client_that_waits_for_a_process_is_answered_after_the_stop(start_limited):
    server = start_limited(processes=2)
    with lab.connect(server.port) as first, lab.connect(server.port) as second:
        for client in (first, second):
            client.sendall(lab.clients.REQUEST)
        assert lab.eventually(lambda: "> GET /hello" in server.stdout
                              and lab.listeners(server.port)[0].waiting == 0)
        server.process.terminate()
        for client in (first, second):
            assert lab.read_until(client, b"slept").endswith(b"slept")
    assert server.wait_until_dead(5) == 0


@pytest.fixture
def start_limited(start_app):
    """Start 3h with a limit on processes; skip the test where that is not to be had."""
    def start_limited(**options):
        try:
            return start_app("3h", "sleeps", **options)
        except lab.ServerError as error:
            pytest.skip(str(error))
    return start_limited
