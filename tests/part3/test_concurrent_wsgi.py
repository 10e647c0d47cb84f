"""Claim 3.25: webserver3h.py, the WSGI server of part 2 made concurrent."""

import pytest

import lab
from scripts import seconds
from stages import STAGES


@pytest.fixture
def start_app(start_stage):
    return lambda stage, name: start_stage(stage, f"tests.part2.apps:{name}")


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


@pytest.mark.claim("3.25")
def test_it_is_2b_and_3g_and_hardly_a_line_of_its_own():
    known = {line for stage in ("2b", "3g") for line in STAGES[stage].code_lines()}
    own = [line for line in STAGES["3h"].code_lines() if line not in known]
    assert len(own) <= 10, own
