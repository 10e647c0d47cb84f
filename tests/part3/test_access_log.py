"""Claim 3.37: the access log has a line for each request, and none that steers a terminal."""

import pytest

import lab
from tests.helpers.capstone import CLOSE, get
from tests.helpers.complete import fetch, line

pytestmark = pytest.mark.claim("3.37")


def test_a_line_for_each_request_in_the_access_log(start):
    server = start()
    fetch(server, "/says_pid/a?b=c")
    fetch(server, "/raises/now", "POST", b"body")
    lab.ask(server.port, line(b"GET / HTTP/1.1 "))
    assert lab.eventually(lambda: log(server, " 200") and log(server, " 500")), server.stdout
    [good] = log(server, " 200")
    assert "127.0.0.1" in good
    assert "GET /says_pid/a?b=c HTTP/1.1" in good
    [bad] = log(server, " 500")
    assert "POST /raises/now HTTP/1.1" in bad


def test_refusal_is_not_logged_under_the_name_of_the_request_before(start):
    server = start()
    lab.ask(server.port, get("/good") + b"GET /bad HT", hang_up=True)
    assert lab.eventually(lambda: log(server, " 400")), server.stdout
    assert "/good" not in "".join(log(server, " 400"))


def log(server, word):
    """The lines with this word; which port it serves on is none of them."""
    entries = [line for line in server.stdout.splitlines() if line.startswith("127.0.0.1 ")]
    return [entry for entry in entries if word in entry]


def test_access_log_shows_no_control_characters(start):
    """A terminal would obey them."""
    server = start()
    lab.ask(server.port, line(b"GET /\x1b[31m\x9b31m%1b%0a HTTP/1.1"))
    lab.ask(server.port, get("/%1b%0a\xe9", CLOSE))
    lab.eventually(lambda: server.stdout.count("\n") > 1)
    assert not set(server.stdout) & {"\x1b", "\x9b", "\r"}


def test_quiet_leaves_the_access_log_out(start):
    server = start("--quiet", application="part2.wsgiapp:app")
    fetch(server)
    lab.ask(server.port, line(b"BAD"))
    server.stop()
    assert server.stdout == f"WSGIServer: Serving HTTP on port {server.port} ...\n"


def test_line_of_the_access_log_is_ascii_and_as_announced(start):
    server = start()
    fetch(server, "/says_pid/a")
    lab.ask(server.port, line(b"GET /\xe9\xa0 HTTP/1.1\r\nConnection: close"))
    assert lab.eventually(lambda: len(log(server, " 200")) == 2), server.stdout
    assert "127.0.0.1 'GET /says_pid/a HTTP/1.1' 200" in log(server, " 200")
    assert server.stdout.isascii()


def test_request_that_was_not_answered_to_its_end_has_a_line(start):
    server = start()
    with lab.connect(server.port) as client:
        client.sendall(get("/streams"))
        assert lab.read_until(client, b"\r\n\r\n")
        lab.reset(client)
    assert lab.eventually(lambda: log(server, "aborted")), server.stdout
    assert log(server, "aborted") == ["127.0.0.1 'GET /streams HTTP/1.1' 200 aborted"]
