"""The checks of what is between a server and an application: PEP 3333, HTTP/1.1 around it."""

import re

import lab
from tests.spec.subject import Fault

PROBE = ["tests.spec.pep3333app:app"]


def runs_wsgi(subject):
    with subject.start(["part2.wsgiapp:app"]) as server:
        body = lab.ask(server.port, timeout=subject.patience).body
        if body != b"Hello world from a simple WSGI application!\n":
            raise Fault("Started with the argument part2.wsgiapp:app, the server was asked for "
                        "/hello.", "The application's body, b'Hello world from a simple WSGI "
                        "application!\\n', and the end.",
                        f"It did not answer as the application does, but with {body!r}.")


def complete_pep3333(subject):
    """tests/spec/pep3333app.py uses what PEP 3333 promises, and names what it did not get."""
    request = (b"POST /a%20b?c=d%20e HTTP/1.1\r\nHost: localhost\r\nX-Probe: 1\r\n"
               b"Content-Length: 4\r\nConnection: close\r\n\r\nbody")
    with subject.start(PROBE) as server:
        answer = lab.ask(server.port, request, timeout=subject.patience)
        report = re.search(rb"missing: (.*)\.", answer.body)
        done = "Started with the argument tests.spec.pep3333app:app, the server was sent a POST."
        if not report:
            raise Fault(done, "The application's body, which names what it missed.",
                        "The server did not answer as the application does, but with "
                        f"{answer.body[:200]!r}.")
        missing = report[1].decode().split(", ") if report[1] else []
        if b"written first" not in answer.body:
            missing.append("write()")
        if not lab.eventually(lambda: "the iterable was closed" in server.stderr, 1):
            missing.append("close()")
        if answer.status != 203:
            missing.append("exc_info")
        if missing:
            raise Fault(done, "The application gets all that PEP 3333 promises.",
                        f"It missed {', '.join(missing)}.")


ASKED_TWICE = ("A client of HTTP/1.1 asked twice on one connection.", "Two answers.")


def keeps_alive(subject):
    """Two requests on one connection; the first answer has a Content-Length."""
    request = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with subject.start(["part2.wsgiapp:app"]) as server, \
            lab.connect(server.port, timeout=subject.patience) as connection:
        connection.sendall(request)
        lab.read_until(connection, b"!\n")
        try:
            connection.sendall(request)
            answer = lab.read_until(connection, b"!\n")
        except TimeoutError:
            raise Fault(*ASKED_TWICE, "The second request got no answer.") from None
        except ConnectionError:
            answer = b""
        if not answer:
            raise Fault(*ASKED_TWICE, "The server closed the connection after its first answer.")

