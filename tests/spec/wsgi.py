"""The checks of what is between a server and an application: PEP 3333, HTTP/1.1 around it.

The applications are those of tests/spec/probes.py, and a nonce is a word in what they say.
"""

import io
import json
import re
import secrets
import socket
import time
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse

import lab
from tests.spec.subject import Fault, doing, living, must_be_alive, settled

HELLO = b"Hello world from a simple WSGI application!\n"
LARGE = b"Hello, World!\n" * 1_000_000  # the kernel takes some megabytes at once, not so many


@contextmanager
def serving(subject, probe):
    """The server with an application of probes.py; its nonce is server.nonce."""
    nonce = secrets.token_hex(8)
    with subject.start([f"tests.spec.probes:{probe}"], NONCE=nonce) as server:
        server.nonce = nonce
        yield server


def started(probe):
    return f"Started with the argument tests.spec.probes:{probe}, the server"


def ask(server, subject, line=b"GET /hello", *headers):
    """An Answer, with all that came within the subject's patience."""
    head = [line + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *headers, b"", b""]
    return lab.ask(server.port, b"\r\n".join(head), timeout=subject.patience)


class Received:
    """A file with what came, as a socket that HTTPResponse may read."""

    def __init__(self, file):
        self.file = file

    def makefile(self, mode):
        return self.file


def parsed(answer):
    """An Answer as an HTTPResponse, with a `body` that may have come in chunks; None if it is not
    HTTP."""
    response = HTTPResponse(Received(io.BytesIO(answer.data)))
    try:
        response.begin()
        response.body = response.read()
    except HTTPException as error:
        response.body = getattr(error, "partial", None)  # cut short
    return response if response.body is not None else None


def body_of(answer):
    response = parsed(answer)
    return response.body if response else b""


def what_came(answer, server):
    """A sentence on an answer that is not the right one, and what the server says of it."""
    if answer.data:
        came = f"What came was {answer.data[:300]!r}."
    elif answer.end:
        came = "The server closed the connection without a byte of an answer."
    else:
        came = f"No byte of an answer came: {answer.error}."
    last = server.stderr.strip().splitlines()[-1:]
    return f"{came} The server said: {last[0]}" if last else came


def runs_wsgi(subject):
    """One application whose words stand in the task, and one whose words nobody knows."""
    with subject.start(["part2.wsgiapp:app"]) as server:
        answer = ask(server, subject)
        if body_of(answer) != HELLO:
            raise Fault("Started with the argument part2.wsgiapp:app, the server was asked for "
                        "/hello.", f"The application's body, {HELLO!r}, and the end.",
                        "It did not answer as the application does. " + what_came(answer, server))
    with serving(subject, "says_nonce") as server:
        answer = ask(server, subject)
        if body_of(answer) != server.nonce.encode():
            raise Fault(f"{started('says_nonce')} was asked for /hello.",
                        f"The body of that application, {server.nonce.encode()!r}, and the end.",
                        "It did not answer as this application does. " + what_came(answer, server))


def calls_it_anew(subject):
    with serving(subject, "says_something_new") as server:
        first, second = ask(server, subject), ask(server, subject)
        if not body_of(second) or body_of(first) == body_of(second):
            raise Fault(f"{started('says_something_new')} was asked twice.",
                        "The application is called for each request, and makes another body "
                        "each time.",
                        f"The first body was {body_of(first)!r}. Then: "
                        + what_came(second, server))


def passes_the_head_on(subject):
    with serving(subject, "has_a_status_of_its_own") as server:
        answer = ask(server, subject)
        response = parsed(answer)
        lost = lost_of_the_head(response, server.nonce) if response else ["all of it"]
        if lost:
            raise Fault(f"{started('has_a_status_of_its_own')} was asked for /hello.",
                        "The status and all headers that the application gave to start_response, "
                        "two of the same name as well.",
                        f"There is no {', no '.join(lost)}. {what_came(answer, server)}")


def lost_of_the_head(response, nonce):
    """What is not there of the head that has_a_status_of_its_own wants to send."""
    there = {
        f"status 299 Nonce {nonce}": (response.status, response.reason) == (299, f"Nonce {nonce}"),
        "Content-Type: text/plain": response.headers.get_all("Content-Type") == ["text/plain"],
        "Content-Length: 12, once": response.headers.get_all("Content-Length") == ["12"],
        f"X-Nonce: {nonce}": response.headers.get_all("X-Nonce") == [nonce],
        "Set-Cookie: a=1": "a=1" in response.headers.get_all("Set-Cookie", []),
        f"Set-Cookie: b={nonce}": f"b={nonce}" in response.headers.get_all("Set-Cookie", []),
    }
    return [name for name, found in there.items() if not found]


def sends_every_block(subject):
    with serving(subject, "comes_in_blocks") as server:
        expected = b"one \x80\xff\x00 two " + server.nonce.encode()
        for path, kind in {"/hello": "generator", "/list": "list"}.items():
            answer = ask(server, subject, f"GET {path}".encode())
            if body_of(answer) != expected:
                raise Fault(f"{started('comes_in_blocks')} was asked for {path}. The application "
                            f"returns a {kind} of four blocks of bytes.",
                            f"One body of all four: {expected!r}.", what_came(answer, server))


def waits_for_start_response(subject):
    with serving(subject, "starts_late") as server:
        answer = ask(server, subject)
        heard = answer.status == 298 or answer.headers.get("x-late") == server.nonce
        if not heard or body_of(answer) != b"better late":
            raise Fault(f"{started('starts_late')} was asked for /hello. The application calls "
                        "start_response when it is asked for its first block.",
                        f"Its status, 298 Late {server.nonce}, and its body, b'better late'.",
                        what_came(answer, server))
    with serving(subject, "never_starts") as server:
        answer = ask(server, subject)
        if answer.status and answer.status < 500:
            raise Fault(f"{started('never_starts')} was asked for /hello. The application returns "
                        "a body, and never calls start_response.",
                        "500, or the end: there is no status that the server could send.",
                        what_came(answer, server))


def says_what_was_asked(subject):
    with serving(subject, "says_what_was_asked") as server:
        for method in ("GET", "DELETE"):
            asked = f"{method} /{secrets.token_hex(4)}"
            answer = ask(server, subject, asked.encode())
            if body_of(answer) != asked.encode():
                raise Fault(f"{started('says_what_was_asked')} was sent {asked} HTTP/1.1.",
                            f"The application finds REQUEST_METHOD and PATH_INFO in environ, and "
                            f"says {asked}.", what_came(answer, server))


def makes_environ_anew(subject):
    with serving(subject, "marks_its_environ") as server:
        for _ in range(2):
            answer = ask(server, subject)
        if body_of(answer) != b"new":
            raise Fault(f"{started('marks_its_environ')} was asked twice. The application leaves "
                        "an entry in the environ that it is given.",
                        "The second request has an environ of its own, without that entry: b'new'.",
                        what_came(answer, server))


def fills_environ(subject):
    done = (f"{started('looks_at_environ')} was asked for /hello. The application looks at "
            "environ, and reads wsgi.input: the request has no body.")
    with serving(subject, "looks_at_environ") as server:
        answer = ask(server, subject, b"GET /hello", b"Content-Type: a/b", b"Content-Length: 0")
        try:
            wrong, port = json.loads(body_of(answer))
        except ValueError:
            raise Fault(done, "Its answer.", what_came(answer, server)) from None
        if port != f"'{server.port}'":
            wrong = wrong or f"SERVER_PORT is {port}, and the port {server.port}, as text."
        if wrong:
            raise Fault(done, "All that PEP 3333 requires, in a dictionary.", wrong)


def outlives_its_application(subject):
    for probe, when in {"fails": "when it is called", "fails_later": "in its second block"}.items():
        done = f"{started(probe)} was asked twice. The application raises an exception {when}."
        with serving(subject, probe) as server:
            for number in ("first", "second"):
                answer = ask(server, subject)
                lab.eventually(lambda server=server: server.exit_status is not None, 0.1)
                must_be_alive(server, f"an application that raised an exception {when}")
                ended = answer.end or isinstance(answer.error, ConnectionResetError)
                if not ended or answer.status == 200 and probe == "fails":
                    raise Fault(done, "500 or the end of the connection, and the next client.",
                                f"Of the {number} request: {what_came(answer, server)}")
            must_keep_no_process(server, subject, f"{started(probe)} was asked. The application "
                                                  f"raises an exception {when}.")


def must_keep_no_process(server, subject, done):
    """Raise Fault if each client of an application that fails leaves a process behind."""
    def processes():
        return len(living(server))

    before = settled(processes)
    for _ in range(3):
        ask(server, subject)
    if not lab.eventually(lambda: processes() <= before, subject.patience):
        raise Fault(done, "When its client has left, no process is there for it.",
                    f"There were {before} processes, and three clients later {processes()}.")


def sends_it_all(subject):
    """To a client that takes a little, and waits before it takes more."""
    with serving(subject, "is_large") as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(subject.patience)
        client.connect(("127.0.0.1", server.port))
        client.sendall(lab.clients.REQUEST)
        came, how = slowly(client)
        body = body_of(lab.Answer(data=came))
        if body != LARGE:
            raise Fault(f"{started('is_large')} was asked for /hello, and the client read slowly.",
                        f"All {len(LARGE)} bytes of the body, as they were.",
                        f"{len(body)} bytes of a body came, then {how}. {doing(server)}")


def slowly(client):
    """All that comes, and how it ended, in words."""
    came = bytearray()
    try:
        came += client.recv(1000)
        time.sleep(0.3)
        while block := client.recv(1 << 20):
            came += block
    except TimeoutError:
        return bytes(came), "nothing more"
    except OSError as error:
        return bytes(came), str(error)
    return bytes(came), "the end"


POST = (b"POST /a%20b?c=d%20e HTTP/1.1\r\nHost: localhost\r\nX-Probe: 1\r\n"
        b"Content-Length: 4\r\nConnection: close\r\n\r\nbody")
PROBE = "tests.spec.pep3333app:"  # its applications use what PEP 3333 promises


def complete_pep3333(subject):
    uses_all_that_is_promised(subject)
    keeps_the_rules(subject)
    for probe, what in {"fails_in_the_middle": "raises an exception in its second block",
                        "never_ends": "makes blocks without an end, and its client leaves"}.items():
        closes_the_iterable(subject, probe, what)


def uses_all_that_is_promised(subject):
    """tests/spec/pep3333app.py names what it did not get."""
    with subject.start([PROBE + "app"]) as server:
        answer = lab.ask(server.port, POST, timeout=subject.patience)
        report = re.search(rb"missing: (.*)\.", answer.body)
        done = f"Started with the argument {PROBE}app, the server was sent a POST."
        if not report:
            raise Fault(done, "The application's body, which names what it missed.",
                        "The server did not answer as the application does. "
                        + what_came(answer, server))
        missing = report[1].decode().split(", ") if report[1] else []
        if b"written first" not in answer.body:
            missing.append("write()")
        if not was_closed(server, 1):
            missing.append("close()")
        if answer.status != 203:
            missing.append("exc_info")
        if missing:
            raise Fault(done, "The application gets all that PEP 3333 promises.",
                        f"It missed {', '.join(missing)}.")


def was_closed(server, patience):
    return lab.eventually(lambda: "the iterable was closed" in server.stderr, patience)


def keeps_the_rules(subject):
    with subject.start([PROBE + "validated"]) as server:
        answer = lab.ask(server.port, POST, timeout=subject.patience)
        if answer.status != 203 or b"missing: ." not in answer.body:
            raise Fault(f"Started with the argument {PROBE}validated, the server was sent a POST. "
                        "wsgiref.validate stands between the two, and looks at what they do.",
                        "It finds nothing wrong: 203, and the application's body.",
                        what_came(answer, server))


def closes_the_iterable(subject, probe, what):
    """The client leaves when it has the first of the body."""
    with subject.start([PROBE + probe]) as server:
        with lab.connect(server.port, timeout=subject.patience) as connection:
            connection.sendall(POST)
            with suppress(OSError):
                lab.read_until(connection, b"\r\n\r\n")
        if not was_closed(server, subject.patience):
            raise Fault(f"Started with the argument {PROBE}{probe}, the server was sent a POST. "
                        f"The application {what}.",
                        "What it returned has a close(), which is called in this case, too.",
                        f"{subject.patience:g} s later it was not called. {doing(server)}")


ASKED_TWICE = ("A client of HTTP/1.1 asked twice on one connection.", "Two answers.")


def keeps_alive(subject):
    stays_open(subject)
    answers_each_in_turn(subject)
    says_where_it_ends(subject)


def stays_open(subject):
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


def answers_each_in_turn(subject):
    targets = [f"/{secrets.token_hex(4)}" for _ in range(3)]
    requests = "".join(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n" for target in targets)
    expected = [f"GET {target}".encode() for target in targets]
    with serving(subject, "says_what_was_asked") as server:
        bodies = bodies_of(server, subject, requests.encode(), 3)
        if bodies != expected:
            raise Fault(f"{started('says_what_was_asked')} was sent three requests in one piece.",
                        f"Three answers on this connection, in this order: {expected}.",
                        f"The bodies of its answers are {bodies}. {doing(server)}")


def says_where_it_ends(subject):
    """The length of a generator is nobody's to know; a client of HTTP/1.0 knows no chunks."""
    with serving(subject, "comes_in_blocks") as server:
        expected = b"one \x80\xff\x00 two " + server.nonce.encode()
        hello = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
        bodies = bodies_of(server, subject, hello, 1)
        if bodies != [expected]:
            raise Fault(f"{started('comes_in_blocks')} got a request of HTTP/1.1, which does not "
                        "say Connection: close. The application returns a generator.",
                        "The client sees where the body ends. It comes in chunks, or the "
                        "connection ends with it.",
                        f"After {subject.patience:g} s the client waited for the end. "
                        f"{doing(server)}" if not bodies else f"The body was {bodies[0]!r}.")
        for path in ("/hello", "/list"):
            request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
            answer = lab.ask(server.port, request, timeout=subject.patience)
            if answer.end is None or answer.body != expected:
                raise Fault(f"{started('comes_in_blocks')} got a request for {path} of HTTP/1.0.",
                            "The body as it is, and the end: chunks are not known there, and "
                            "nobody asked for more.",
                            what_came(answer, server)
                            + " It did not close the connection." * (answer.end is None))


class Stream(io.BufferedReader):
    """What comes on a connection, for one HTTPResponse after another: they close what they read."""

    def close(self):
        pass


def bodies_of(server, subject, requests, number):
    """The bodies of so many answers on one connection; fewer, if their ends are not to be seen."""
    bodies = []
    with lab.connect(server.port, timeout=subject.patience) as connection:
        connection.sendall(requests)
        stream = Stream(connection.makefile("rb", buffering=0))
        with suppress(OSError, HTTPException):
            while len(bodies) < number:
                response = HTTPResponse(Received(stream))
                response.begin()
                bodies.append(response.read())
    return bodies
