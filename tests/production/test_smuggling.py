"""Request smuggling: nginx and the server behind it must see the same requests, whatever comes."""

import itertools
import re
import socketserver
import threading
from collections import Counter
from contextlib import suppress

import pytest

import lab

pytestmark = pytest.mark.thorough

LENGTHS = [  # {} is the true length of the body, {short} that of its first line
    "", "Content-Length: {}", "Content-Length: {short}", "Content-Length: 0",
    "Content-Length: +{}", "Content-Length: -{}", "Content-Length: {short}, {}",
    "Content-Length: {short}\r\nContent-Length: {}", "Content-Length: {}\r\nContent-Length: {}",
    "Content-Length: 0x{short}", "Content-Length: {}.0", "Content-Length: {short} {}",
    "Content-Length: \t{}\t", "Content-Length: 1844674407370955161{}", "Content-Length:",
    "Content-Length : {short}", " Content-Length: {short}", "Content_Length: {short}",
    "X: y\r\n Content-Length: {short}", "X: y\rContent-Length: {short}",
    "X: y\nContent-Length: {short}", "Content-Length\0: {short}", "content-length: {short}",
]
CODINGS = [
    "", "Transfer-Encoding: chunked", "Transfer-Encoding: CHUNKED", "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity",
    "Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding:\r\n chunked", "Transfer_Encoding: chunked", " Transfer-Encoding: chunked",
    "X: y\rTransfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked",
    "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked\0", "Transfer-Encoding:",
]
VERSIONS = ["HTTP/1.1", "HTTP/1.0"]
ODD_VERSIONS = ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/01.1"]
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODIES = [  # one ends early for who heeds the chunks, the other for who heeds the short length
    f"0\r\n\r\n{HIDDEN}",
    f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n",
]
HANDS_ON = {"proxy_request_buffering on;": "proxy_request_buffering off;"}  # as it comes
ALONE = {  # all ask on the one connection that nginx keeps to the server; and a client's FIN, which
           # says that it has sent all it wants to, is no reason to give it up
    "worker_processes auto;": "worker_processes 1;", "keepalive 32;": "keepalive 1;",
    "proxy_buffering on;": "proxy_buffering on; proxy_ignore_client_abort on;"}


def framings(body):
    """Requests with this body: each length with each coding, and some with an odd version."""
    table = [*itertools.product(LENGTHS, CODINGS, VERSIONS),
             *itertools.product(LENGTHS[:3], CODINGS[:2], ODD_VERSIONS)]
    for number, (length, coding, version) in enumerate(table):
        length = length.format(len(body), len(body), short=len(body.partition("\r\n")[0]) + 2)
        lines = "".join(f"{line}\r\n" for line in (length, coding) if line)
        yield number, f"POST /{number} {version}\r\nHost: localhost\r\n{lines}\r\n{body}".encode()


def try_all(nginx, requests):
    """Send each of the requests, then a harmless one that must get the answer meant for it."""
    for number, request in requests:
        lab.ask(nginx.port, request, hang_up=True)
        probe = f"GET /probe/{number} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = lab.ask(nginx.port, probe.encode())
        asked = f"After {request!r} a probe got {answer.data!r}."
        assert (answer.status, answer.body) == (200, f"/probe/{number}".encode()), asked


def sent(nginx):
    """The requests that nginx sent on, by its log: methods and targets, and how many of each."""
    return Counter(" ".join(visit.request.split()[:2])
                   for visit in nginx.visits() for _ in visit.instances)


def received(server):
    """The requests that the server got, by its log, and how many of each."""
    return Counter(re.findall(r"^\S+ '(\S+ \S+) HTTP/1\.\d' ", server.stdout, re.MULTILINE))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("body", BODIES, ids=["ends early by chunks", "ends early by length"])
@pytest.mark.parametrize("changes", [{}, HANDS_ON], ids=["buffered", "as it comes"])
def test_no_request_is_smuggled_through_nginx(start_instance, start_nginx, body, changes):
    """Some of these say two things at once. nginx may refuse them or make one thing of them; what
    it sends on is what our server gets, and each client gets the answer to its own request."""
    server = start_instance("tests.apps.behind:says_path")
    nginx = start_nginx([server], {**ALONE, **changes})
    try_all(nginx, framings(body))
    assert lab.eventually(lambda: not received(server) - sent(nginx)), (
        f"Smuggled: {received(server) - sent(nginx)}")
    assert sum(visit.status == 400 for visit in nginx.visits()) > 300
    assert sum(request.startswith("POST") for request in received(server)) > 30


class Gullible(socketserver.StreamRequestHandler):
    """A server that does not know of bodies: where a head ends, the next request begins."""

    def handle(self):
        while line := self.rfile.readline():
            self.server.received.append(" ".join(line.decode("latin-1").split()[:2]))
            while self.rfile.readline().strip():
                pass
            path = (line.split() * 2)[1:2]
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(b"".join(path))
            with suppress(OSError):
                self.wfile.write(head + b"".join(path))


class Threaded(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture
def gullible():
    with Threaded(("127.0.0.1", 0), Gullible) as server:
        server.received = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_gullible_server_would_be_seen(gullible, start_nginx):
    """Else the test above could not fail: with this one behind nginx the same requests do it."""
    nginx = start_nginx([f"127.0.0.1:{gullible.server_address[1]}"], ALONE)
    with pytest.raises(AssertionError, match="After .* a probe got"):
        try_all(nginx, itertools.islice(framings(BODIES[0]), 200))
    assert "GET /hidden" in gullible.received
    assert Counter(gullible.received) - sent(nginx)

