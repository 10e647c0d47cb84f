"""Fast, then: nothing is worked out twice. The server to use.

Builds on webserver3y.py. The idea: the same bytes mean the same. A head that has been understood is
looked up the next time, with the environ that came of it; one that has been assembled is good for a
second, for it has the date in it. What is kept is small, and there is little of it.

Try it:
    python part3/webserver3z.py part2.flaskapp:app     (--help names the options)
    wrk -c 64 http://localhost:8888/hello      (compare with webserver3y.py)
    wrk -c 64 -s tests/bench/bench.lua http://localhost:8888/hello   (no two heads are alike)

On purpose:
    An application that blocks, blocks its worker, and with it all clients of that worker, unless
    there are --threads; and then a client that reads a long stream slowly keeps one of them.
    It speaks no TLS: that belongs in front of it, in nginx for example.
"""

import argparse
import contextvars
import errno
import faulthandler
import importlib
import io
import os
import queue
import re
import resource
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections import OrderedDict, deque
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote
from wsgiref.util import is_hop_by_hop

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
TIMEOUT = os.environ.get("TIMEOUT") or "10"  # seconds: for a head, then for each block
NOTIFY_SOCKET = os.environ.pop("NOTIFY_SOCKET", "")  # where systemd waits for a word
SIGNALS = {signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM}
TICK = 0.25  # seconds that the loop sleeps at most
GRACE = 30  # seconds to finish what is in flight
REQUEST_QUEUE_SIZE = 1024
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
THREAD = "thread"  # a conversation may wait for this as well
WITH_FIN = getattr(socket, "MSG_MORE", 0)  # these bytes wait for the FIN, and travel with it
MAX_HEAD, MAX_HEADERS = 65536, 100  # bytes of request line and headers; how many headers
MAX_BODY, MAX_IN_MEMORY = 1 << 30, 1 << 20  # bytes; the rest goes to a temporary file
MAX_UNSENT = 1 << 20  # bytes that write() keeps for a client; then it waits
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
VALUE = r"[\t\x20-\x7e\x80-\xff]*"  # no CR, LF or NUL: no line can hide in another
AUTHORITY = r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~!$&'()*+;=%-]+)(?::[0-9]*)?"  # RFC 3986, 3.2
PATH = r"/[^\0-\x20\x7f?#]*"
QUERY = r"[^\0-\x20\x7f#]*"
REQUEST_LINE = re.compile(rf"({TOKEN}) ([^ ]+) (HTTP/[0-9]\.[0-9])")  # RFC 9112, 3
ORIGIN_FORM = re.compile(rf"(?P<path>{PATH})(?:\?(?P<query>{QUERY}))?")  # RFC 9112, 3.2.1
ABSOLUTE_FORM = re.compile(rf"""  # RFC 9112, 3.2.2
    (?i:https?)://
    (?P<host>{AUTHORITY})
    (?P<path>{PATH})?
    (?:\?(?P<query>{QUERY}))?
    """, re.VERBOSE)
HOST_OR_NONE = re.compile(rf"({AUTHORITY})?")
HEADER = re.compile(rf"({TOKEN}):({VALUE})")  # RFC 9112, 5
HEADER_NAME, HEADER_VALUE = re.compile(TOKEN), re.compile(VALUE)
CHUNK_SIZE = re.compile(rf"([0-9A-Fa-f]+)(?:[ \t]*;{VALUE})?".encode("latin-1"))  # RFC 9112, 7.1
STATUS = re.compile(f"[2-9][0-9][0-9] {VALUE}")
ONCE = {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_HOST", "HTTP_TRANSFER_ENCODING"}
NOT_IN_TRAILERS = ONCE | {"HTTP_CONNECTION", "HTTP_TE", "HTTP_TRAILER", "HTTP_UPGRADE",
                          "HTTP_FORWARDED", "HTTP_MAX_FORWARDS"}  # RFC 9110, 6.5.1
TEXT = [("Content-Type", "text/plain")]


class Refused(Exception):
    """A request that no application shall see: the status code to answer with, and why."""

    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


class ClientLeft(Exception):
    """The client is gone: no fault of the application, which has OSErrors of its own."""


class Cache(dict):
    """What was worked out, by what it was worked out of."""

    def keep(self, key, value, size):
        """Unless it is large: the size is in bytes."""
        if len(self) >= 128:
            self.clear()
        if size <= 2048:
            self[key] = value


UNDERSTOOD, PARSED, CHECKED, ASSEMBLED = Cache(), Cache(), Cache(), Cache()


class Connection:
    """One client, and what has come from it that nobody has taken yet."""

    def __init__(self, worker, client_connection, client_address):
        self.worker = worker
        self.socket = client_connection
        self.client_address = client_address[0] if isinstance(client_address, tuple) else ""
        self.head, self.status = b"", "-"  # for the log
        self.buffer = b""
        self.unsent = bytearray()
        self.asking = False  # whether a request has begun
        self.fresh = True  # it has mostly sent something already
        self.said_last = False  # whether it has told that nothing more is to come
        self.steps = converse(self, worker.application)
        self.context = contextvars.copy_context()  # what an application sets there is for this one
        worker.connections[self] = True
        self.give_time()
        self.watched = 0  # the event for which the selector watches its socket
        self.advance()

    def advance(self):
        if self not in self.worker.connections:  # a thread has it, or had it a moment ago
            self.watch(0)
            return
        self.take_step(next, self.steps)
        if self.waits_for != self.watched:
            self.wait()

    def go_on(self, *step):
        """Let it go on, until it has to wait again."""
        self.take_step(*step)
        self.wait()

    def take_step(self, *step):
        """The part that a thread may do."""
        try:
            self.waits_for = self.context.run(*step)
        except StopIteration:  # it has returned
            self.waits_for = None

    def wait(self):
        if self.waits_for in (READ, WRITE):
            self.watch(self.waits_for)
        elif self.waits_for == THREAD:
            self.worker.lend(self)
        else:
            self.watch(0)
            del self.worker.connections[self]
            self.socket.close()

    def watch(self, event):
        """Tell the selector, if it does not know."""
        if event == self.watched:
            return
        if event and self.watched:
            self.worker.selector.modify(self.socket, event, self.advance)
        elif event:
            self.worker.selector.register(self.socket, event, self.advance)
        elif self.watched:
            self.worker.selector.unregister(self.socket)
        self.watched = event

    def leave(self):
        self.go_on(self.steps.throw, ClientLeft("the server stops"))

    def give_time(self):
        """TIMEOUT seconds from now on. So it is the last whose time runs out."""
        self.deadline = time.monotonic() + self.worker.options.timeout
        if self in self.worker.connections:  # and not lent to a thread
            self.worker.connections.move_to_end(self)

    def run_out_of_time(self):
        if self.asking and self.waits_for == READ:
            self.go_on(self.steps.throw, Refused(408, "it took too long"))
        else:
            self.go_on(self.steps.throw, ClientLeft("it asks nothing, or does not read"))

    def next_block(self):
        """What comes next; nothing if no more is to come, and None if it is not here yet."""
        try:
            return self.socket.recv(65536)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ClientLeft(error) from None

    def receive(self):
        """One more block in the buffer."""
        if not self.fresh:  # else it is worth a try
            yield READ
        self.fresh = False
        while (block := self.next_block()) is None:
            yield READ
        if not block and not self.asking:  # a browser opens connections in advance
            raise ClientLeft("it asked for nothing")
        if not block:
            raise Refused(400, "the request ends early")
        if not self.asking:
            self.asking = True
            if b"\r\n\r\n" not in block:  # it has so much time for its head as a whole
                self.give_time()
        self.buffer += block

    def read_until(self, mark, too_long=None):
        """The bytes before the mark, MAX_HEAD at most; the mark goes, too."""
        while (end := self.buffer.find(mark, 0, MAX_HEAD)) < 0:
            if len(self.buffer) >= MAX_HEAD:
                head_too_long = 431 if b"\r\n" in self.buffer[:MAX_HEAD] else 414
                raise Refused(too_long or head_too_long, f"more than {MAX_HEAD} bytes")
            yield from self.receive()
        found, self.buffer = self.buffer[:end], self.buffer[end + len(mark):]
        return found

    def read(self, size):
        """So many bytes."""
        while len(self.buffer) < size:
            yield from self.receive()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def copy(self, size, file):
        """So many bytes to a file, as they come."""
        while size:
            if not self.buffer:
                self.give_time()
                yield from self.receive()
            block, self.buffer = self.buffer[:size], self.buffer[size:]
            file.write(block)
            size -= len(block)

    def send(self, data):
        self.unsent += data
        self.send_some()
        while self.unsent:
            self.give_time()
            yield WRITE
            self.send_some()

    def send_some(self, flags=0):
        """As much as the kernel has room for."""
        if not self.unsent:
            return
        try:
            sent = self.socket.send(self.unsent, flags)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise ClientLeft(error) from None
        del self.unsent[:sent]

    def wait_for_room(self):
        """For write(), which cannot yield: the thread waits, or everybody if there is none."""
        self.socket.settimeout(self.worker.options.timeout)
        try:
            while len(self.unsent) > MAX_UNSENT:
                self.send_some()
        finally:
            self.socket.setblocking(False)


def handed_over():
    """The socket that whoever started this process has opened for it, or None. LISTEN_PID must be
    ours, LISTEN_FDS says how many there are: sd_listen_fds(3). Our children shall not see that."""
    pid, number, _ = [os.environ.pop("LISTEN_" + name, "") for name in ("PID", "FDS", "FDNAMES")]
    if pid != str(os.getpid()) or int(number) == 0:
        return None
    if int(number) != 1:
        raise ValueError(f"there are {number}, and it takes one")
    listen_socket = socket.socket(fileno=3)  # that one is always the first
    listen_socket.set_inheritable(False)
    listens = listen_socket.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listens or listen_socket.type != socket.SOCK_STREAM:
        raise ValueError("it does not listen, or not for a stream")
    return listen_socket


def listen(place):
    """A socket that listens at unix:PATH, [IPv6]:PORT or HOST:PORT; and the inode of its file."""
    if place.startswith("unix:"):
        return listen_at_path(str(Path(place.removeprefix("unix:"))))
    host, _, port = place.rpartition(":")
    host = (host or HOST).strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listen_socket = socket.socket(family, socket.SOCK_STREAM)
    listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # can restart at once
    listen_socket.bind((host, int(port)))
    listen_socket.listen(REQUEST_QUEUE_SIZE)
    return listen_socket, None


def listen_at_path(path):
    """The file of a server that died is in the way: who connects there is refused."""
    listen_socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # if the queue is full, somebody lives there
        refused = probe.connect_ex(path) == errno.ECONNREFUSED
    if refused and Path(path).is_socket():
        os.unlink(path)
    listen_socket.bind(path)
    listen_socket.listen(REQUEST_QUEUE_SIZE)
    return listen_socket, os.stat(path).st_ino


def name_server(listen_socket):
    """As environ names it (RFC 3875, 4.1.14): a host and a port, even if it has neither."""
    if listen_socket.family == socket.AF_UNIX:
        return {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    host, port = listen_socket.getsockname()[:2]
    return {"SERVER_NAME": f"[{host}]" if ":" in host else host, "SERVER_PORT": str(port)}


def load_application(name):
    """Import what "module:callable" names, from the current folder as well."""
    sys.path.insert(0, os.getcwd())
    module_name, _, callable_name = name.partition(":")
    try:
        application = getattr(importlib.import_module(module_name), callable_name)
        if not callable(application):
            raise TypeError(f"{callable_name} cannot be called")
        return application
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]  # all but this function's own
        where = [f" ({f.filename}:{f.lineno})" for f in frames if "importlib" not in f.filename]
        sys.exit(f"Cannot load {name}: {type(error).__name__}: {error}{''.join(where[-1:])}")


def read_request(connection):
    """The environ of the next request, with its body."""
    head = (yield from connection.read_until(b"\r\n\r\n")).removeprefix(b"\r\n")
    connection.head = head
    environ, length, expecting = UNDERSTOOD.get(head) or understand(head, connection.worker)
    if expecting:
        yield from connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    environ = environ.copy()
    environ["REMOTE_ADDR"] = connection.client_address
    environ["wsgi.input"] = io.BytesIO()
    if length != 0:
        body = environ["wsgi.input"] = yield from read_body(connection, length)
        environ["CONTENT_LENGTH"] = str(body.tell())
        body.seek(0)
    return environ


def understand(head, worker):
    """The part of environ that is the same next time, the body's length, and whether to go on."""
    request = parse_head(head)
    length, expecting = body_length(request), expects_continue(request)
    understood = build_environ(request, worker), length, expecting
    UNDERSTOOD.keep(head, understood, len(head))
    return understood


def parse_head(head):
    """What the client says, by its names in environ."""
    request_line, *header_lines = head.decode("latin-1").split("\r\n")
    match = REQUEST_LINE.fullmatch(request_line)
    if not match:
        raise Refused(400, "the request line is not: method, target, HTTP version")
    method, target, version = match.groups()
    host, path, query = parse_target(method, target)
    if not version.startswith("HTTP/1."):
        raise Refused(505, "this server speaks HTTP/1.1")
    if version != "HTTP/1.0":  # who speaks a later 1.x understands 1.1 (RFC 9110, 2.5)
        version = "HTTP/1.1"
    headers = parse_headers(header_lines)
    check_host(headers, version)
    if host:
        headers["HTTP_HOST"] = host
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(path, "latin-1"),  # bytes, written as characters: PEP 3333
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": version,
        **headers,
    }


def parse_target(method, target):
    """The host, if it names one, the path and the query (RFC 9112, 3.2)."""
    if method == "CONNECT":
        raise Refused(400, "this server is no proxy")
    if method == "OPTIONS" and target == "*":  # the server as a whole
        return None, "/", ""
    match = ORIGIN_FORM.fullmatch(target)
    if match:
        return None, match["path"], match["query"] or ""
    match = ABSOLUTE_FORM.fullmatch(target)
    if match:
        return match["host"], match["path"] or "/", match["query"] or ""
    raise Refused(400, "the target is neither a path nor a URL")


def parse_headers(lines):
    """The headers by their names in environ; what comes more than once is joined."""
    if len(lines) > MAX_HEADERS:
        raise Refused(431, f"more than {MAX_HEADERS} headers")
    headers = {}
    for line in lines:
        key, value = PARSED.get(line) or parse_header(line)
        if not key:
            continue
        if key in headers and key in ONCE:
            raise Refused(400, f"more than one {key}")
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return headers


def parse_header(line):
    """Its name in environ, and its value; no name if it has none there."""
    match = HEADER.fullmatch(line)
    if not match:
        raise Refused(400, "a header is not: name, colon, value")
    name, value = match[1], match[2].strip(" \t")
    key = "HTTP_" + name.upper().replace("-", "_")
    if "_" in name:  # in environ it would pass for one with a dash
        key = None
    PARSED.keep(line, (key, value), len(line))
    return key, value


def check_host(headers, version):
    """One Host, which may be empty; of two, a comma gives them away, for no host has one."""
    if version == "HTTP/1.1" and "HTTP_HOST" not in headers:
        raise Refused(400, "a request has a Host")
    if not HOST_OR_NONE.fullmatch(headers.get("HTTP_HOST", "")):
        raise Refused(400, "a request has one Host, a name or an address")


def body_length(request):
    """In bytes, or None if it comes in chunks (RFC 9112, 6)."""
    coding = request.pop("HTTP_TRANSFER_ENCODING", None)
    length = request.pop("HTTP_CONTENT_LENGTH", None)
    if coding is not None:
        if length is not None or request["SERVER_PROTOCOL"] == "HTTP/1.0":
            raise Refused(400, "a proxy may find another end of the body")
        if coding.lower() != "chunked":
            raise Refused(501, "the one transfer coding is chunked")
        return None
    if length is None:
        return 0
    if not length.isdecimal() or len(length) > 15:
        raise Refused(400, "Content-Length is no number")
    if int(length) > MAX_BODY:
        raise Refused(413, f"more than {MAX_BODY} bytes")
    return int(length)


def expects_continue(request):
    """Whether the client waits for a word before it sends the body (RFC 9110, 10.1.1)."""
    expectation = request.get("HTTP_EXPECT")
    if expectation is None or request["SERVER_PROTOCOL"] == "HTTP/1.0":
        return False
    if expectation.lower() != "100-continue":
        raise Refused(417, "what can be expected is 100-continue")
    return True


def read_body(connection, length):
    """A file that has all of it."""
    body = tempfile.SpooledTemporaryFile(MAX_IN_MEMORY)
    try:
        if length is None:
            yield from read_chunks(connection, body)
        else:
            yield from connection.copy(length, body)
        body.flush()
    except OSError as error:  # of the file: those of the connection are ClientLeft
        say(f"There is no room for the body of a request: {error}", sys.stderr)
        with suppress(OSError):
            body.close()
        raise Refused(507, "there is no room for the body") from None
    return body


def read_chunks(connection, body):
    """Each has its size before it, and a line end behind it; one of size 0 is the last."""
    size = None
    while size != 0:
        connection.give_time()
        match = CHUNK_SIZE.fullmatch((yield from connection.read_until(b"\r\n", 400)))
        if not match:
            raise Refused(400, "a chunk does not begin with its size in hexadecimal")
        size = int(match[1], 16)
        if body.tell() + size > MAX_BODY:
            raise Refused(413, f"more than {MAX_BODY} bytes")
        yield from connection.copy(size, body)
        if size and (yield from connection.read(2)) != b"\r\n":
            raise Refused(400, "a chunk does not end where its size says")
    yield from read_trailers(connection)


def read_trailers(connection):
    """Headers behind the last chunk: of no use here, but they must not say what belongs before."""
    lines, size = [], 0
    connection.give_time()
    while line := (yield from connection.read_until(b"\r\n", 431)):
        lines.append(line.decode("latin-1"))
        size += len(line) + 2
        if size > MAX_HEAD:
            raise Refused(431, f"more than {MAX_HEAD} bytes")
    if not NOT_IN_TRAILERS.isdisjoint(parse_headers(lines)):
        raise Refused(400, "a trailer that belongs into the head")


def build_environ(request, worker):
    return {
        "CONTENT_TYPE": request.pop("HTTP_CONTENT_TYPE", ""),  # the two that have no HTTP_
        "CONTENT_LENGTH": "0",
        **request,
        "SCRIPT_NAME": "",  # from the server
        **worker.server,
        "wsgi.version": (1, 0),  # from WSGI itself
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": worker.options.threads > 0,
        "wsgi.multiprocess": worker.options.workers > 1,
        "wsgi.run_once": False,
    }


class Response:
    """What the application answers, and whether it is on its way."""

    def __init__(self, connection):
        self.connection = connection
        self.method, self.version = "GET", "HTTP/1.1"
        self.keep_alive = False
        self.status = None  # until start_response is called
        self.headers_sent = False
        self.chunked = False
        self.remaining = sys.maxsize  # bytes of the body: as many as come

    def heed(self, environ):
        """How the client wants it (RFC 9112, 9.3)."""
        self.method, self.version = environ["REQUEST_METHOD"], environ["SERVER_PROTOCOL"]
        if "HTTP_CONNECTION" not in environ:
            self.keep_alive = self.version == "HTTP/1.1"
            return
        wishes = [wish.strip() for wish in environ["HTTP_CONNECTION"].lower().split(",")]
        if "close" in wishes:
            self.keep_alive = False
            self.connection.said_last = environ["CONTENT_LENGTH"] == "0"
        else:
            self.keep_alive = self.version == "HTTP/1.1" or "keep-alive" in wishes

    def start_response(self, status, headers, exc_info=None):
        if exc_info and self.headers_sent:
            raise exc_info[1]  # it is too late for another answer
        if self.status and not exc_info:
            raise RuntimeError("start_response was called again, and without exc_info")
        headers = tuple(headers)
        if (status, headers) not in CHECKED:
            check(status, headers)
        self.status, self.headers = status, headers
        return self.write

    def write(self, block):
        if block:  # the head waits for the first that is not empty
            self.connection.unsent += self.frame(block)
            self.connection.send_some()  # it cannot yield: send does, for what is left
            if len(self.connection.unsent) > MAX_UNSENT:
                self.connection.wait_for_room()
            lent = self.connection.worker.lent
            if self.connection in lent:  # its thread lives
                lent[self.connection] = time.monotonic()

    def frame(self, block, length=None):
        """A block as it goes out, the first with the head; length is the whole body's, if known."""
        if not self.status:
            raise RuntimeError("the application did not call start_response")
        head = b"" if self.headers_sent else self.assemble_head(length)
        if self.chunked:
            data = head + b"%x\r\n%b\r\n" % (len(block), block)
        else:
            data = head + block[:self.remaining]
            self.remaining -= len(block[:self.remaining])
        self.headers_sent = True
        return data

    def measure(self, length):
        """How many bytes follow the head, and what it says of them (RFC 9112, 6.3)."""
        told = [value for name, value in self.headers if name.lower() == "content-length"]
        if told and not (len(told) == 1 and told[0].isdecimal()):
            raise ValueError(f"Content-Length {told}")
        if self.status.startswith("204"):  # it has no body, and must not speak of one
            self.headers = [each for each in self.headers if each[0].lower() != "content-length"]
            self.remaining = 0
        elif self.status.startswith("304"):
            self.remaining = 0
        elif self.method == "HEAD":
            self.remaining = 0
            if length and not told:  # that of GET; 0 may mean that the application knows of HEAD
                self.headers.append(("Content-Length", str(length)))
        elif told:
            self.remaining = int(told[0])
        elif length is not None:
            self.headers.append(("Content-Length", str(length)))
            self.remaining = length
        elif self.version == "HTTP/1.1":
            self.headers.append(("Transfer-Encoding", "chunked"))
            self.chunked, self.remaining = True, 0
        else:  # the end of the connection tells
            self.keep_alive = False

    def assemble_head(self, length):
        if self.connection.worker.retiring:
            self.keep_alive = False
        self.connection.status = self.status[:3]
        key = (self.status, self.headers, length, self.method == "HEAD", self.version,
               self.keep_alive, int(time.time()))
        assembled = ASSEMBLED.get(key)
        if not assembled:
            head = self.assemble_anew(length)
            assembled = head, self.remaining, self.chunked, self.keep_alive
            ASSEMBLED.keep(key, assembled, len(head))
        head, self.remaining, self.chunked, self.keep_alive = assembled
        return head

    def assemble_anew(self, length):
        self.headers = list(self.headers)
        self.measure(length)
        given = [name.lower() for name, _ in self.headers]
        if "date" not in given:
            self.headers.append(("Date", formatdate(usegmt=True)))
        if "server" not in given:
            self.headers.append(("Server", "WSGIServer"))
        if not self.keep_alive:
            self.headers.append(("Connection", "close"))
        elif self.version == "HTTP/1.0":
            self.headers.append(("Connection", "keep-alive"))
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"HTTP/1.1 {self.status}\r\n{fields}\r\n".encode("latin-1")


def check(status, headers):
    """ValueError for what could be read as something else."""
    if not STATUS.fullmatch(status):
        raise ValueError(f"status {status!r}")
    for name, value in headers:
        well_formed = HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(value)
        if not well_formed or is_hop_by_hop(name):
            raise ValueError(f"header {(name, value)}")
    CHECKED.keep((status, headers), True, sum(len(name + value) for name, value in headers))


def call_application(application, environ, response):
    """Send what it gives, as it comes."""
    connection = response.connection
    response.heed(environ)
    if connection.worker.options.threads:
        yield THREAD  # which goes on from here, to the next yield
    blocks = application(environ, response.start_response)
    try:
        if isinstance(blocks, (list, tuple)):  # they are all there, and go at once
            body = b"".join(blocks)
            if body:
                connection.unsent += response.frame(body, len(body))
                connection.send_some(0 if response.keep_alive else WITH_FIN)
        else:
            yield from send_blocks(response, blocks)
        if response.chunked or not response.headers_sent:
            connection.unsent += response.frame(b"", 0)  # the last chunk, or the head alone
    finally:
        if hasattr(blocks, "close"):
            blocks.close()
    yield from connection.send(b"")  # what is left, of write() for example


def send_blocks(response, blocks):
    """As they come."""
    connection = response.connection
    for block in blocks:
        if connection.worker.options.threads:
            response.write(block)
        elif block:
            yield from connection.send(response.frame(block))
            connection.give_time()
            yield WRITE  # when the others have had their turn


def refuse(connection, code, why):
    """Answer in the application's place."""
    phrase = HTTPStatus(code).phrase
    response = Response(connection)
    response.start_response(f"{code} {phrase}", TEXT)
    body = f"{phrase}: {why}\n".encode()
    with suppress(ClientLeft):
        yield from connection.send(response.frame(body, len(body)))


def hang_up(connection):
    """Say that this is the end, and read on to the client's: if something lies unread when a socket
    is closed, the kernel sends RST, and that overtakes the answer (RFC 9112, 9.6)."""
    with suppress(OSError, ClientLeft):
        yield from connection.send(b"")  # what is left, if the application has failed
        if connection.said_last and not connection.buffer:  # nothing will lie unread
            return
        connection.socket.shutdown(socket.SHUT_WR)
        connection.asking = False
        connection.give_time()
        if connection.worker.stopping:  # there is no time for that
            return
        while connection.next_block() != b"":
            yield READ


def log(connection, remark):
    """A line for a request, without control characters."""
    request_line = (connection.head or connection.buffer).partition(b"\r\n")[0][:1000]
    request_line = ascii(request_line.decode("latin-1"))
    line = f"{connection.client_address or '-'} {request_line} {connection.status}{remark}\n"
    with suppress(OSError):
        os.write(1, line.encode())  # lines of several workers do not mix


def say(words, file):
    with suppress(OSError):  # whoever read this has gone: no fault of the client
        print(words, file=file, flush=True)


def converse(connection, application):
    """Request and response, and again, for as long as both sides want to."""
    with suppress(ClientLeft):  # sooner or later each of them does
        while (yield from handle_request(connection, application)):
            if connection.worker.stopping and not connection.buffer:
                break
            connection.asking = bool(connection.buffer)
            connection.give_time()
            if connection.asking:  # already; but it is the turn of the others
                yield WRITE
            else:
                yield from connection.receive()  # an idle connection keeps little besides
        yield from hang_up(connection)


def handle_request(connection, application):
    """Whether another may follow: not if the end of the connection has to tell the body's."""
    response = Response(connection)
    connection.head, connection.status, remark = b"", "-", " aborted"
    try:
        environ = yield from read_request(connection)
        yield from call_application(application, environ, response)
        remark = ""
        return response.keep_alive and response.remaining == 0
    except Refused as refusal:
        yield from refuse(connection, refusal.code, refusal)
        remark = ""
    except ClientLeft:
        raise
    except BaseException:  # the application's fault, whatever it is: show it, and go on
        say(traceback.format_exc(), sys.stderr)
        if not response.headers_sent:
            yield from refuse(connection, 500, "the application failed")
            remark = ""
    finally:
        if connection.asking and not connection.worker.options.quiet:
            log(connection, remark)
    return False


class Worker:
    """An event loop: it goes on with those connections that are ready."""

    def __init__(self, listen_socket, options, lifeline):
        self.listen_socket = listen_socket
        self.server = name_server(listen_socket)
        self.options = options
        self.lifeline = lifeline
        self.retiring, self.stopping = False, False
        self.connections = OrderedDict()  # in the order in which their time runs out
        self.lent = {}  # those that wait for a thread, or have one: since when
        self.queue, self.returned = queue.SimpleQueue(), deque()
        self.waker, self.woken = socket.socketpair()
        self.most = most_connections()
        self.accepting, self.closed_until = True, 0
        self.selector = selectors.DefaultSelector()  # epoll on Linux, kqueue on macOS
        self.selector.register(listen_socket, READ, self.accept)
        self.selector.register(lifeline, READ, self.heed_master)
        self.selector.register(self.woken, READ, self.take_back)
        for signum in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
            signal.signal(signum, do_nothing)  # if all processes get one, the master decides
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self.next_sign = 0
        self.show_life()
        self.application = load_application(options.application)
        for _ in range(options.threads):
            threading.Thread(target=self.run_applications, daemon=True).start()
        lifeline.send(b"!")  # ready

    def show_life(self):
        """If this is not done again in time, print where the worker stands, and end it."""
        if time.monotonic() < self.next_sign:  # the last one was just now
            return
        if self.options.hang_timeout:
            faulthandler.dump_traceback_later(self.options.hang_timeout, exit=True)
        self.next_sign = time.monotonic() + TICK
        self.look_at_threads()

    def lend(self, connection):
        """To the next thread that is free. Its time does not run meanwhile."""
        del self.connections[connection]
        self.lent[connection] = None
        self.queue.put(connection)

    def run_applications(self):
        """In a thread: go on with a connection until it waits for something else."""
        while True:
            connection = self.queue.get()
            self.lent[connection] = time.monotonic()
            connection.take_step(next, connection.steps)
            self.returned.append(connection)
            self.waker.send(b"!")

    def take_back(self):
        self.woken.recv(4096)
        while self.returned:
            connection = self.returned.popleft()
            del self.lent[connection]
            self.connections[connection] = True
            connection.give_time()
            connection.wait()

    def look_at_threads(self):
        """If all of them hang, or nobody else is left, print where, and end the worker."""
        long_ago = time.monotonic() - self.options.hang_timeout
        hung = [since for since in self.lent.values() if since and since < long_ago]
        left = len(self.connections) + len(self.lent) if self.retiring else self.options.threads
        if self.options.hang_timeout and hung and len(hung) == left:
            faulthandler.dump_traceback()
            os._exit(1)

    def serve(self):
        while self.connections or self.lent or not self.retiring:
            ready = self.selector.select(TICK)  # sleeps until one socket is ready, or several
            now = time.monotonic()  # what comes while an application works, still comes in time
            for key, _ in ready:
                key.data()
                self.show_life()
            self.end_those_who_are_late(now)
            self.mind_the_door(now)
            self.show_life()

    def end_those_who_are_late(self, now):
        while self.connections:
            first = next(iter(self.connections))
            if first.deadline >= now:
                return
            first.run_out_of_time()

    def heed_master(self):
        """A byte says: retire. The end of the lifeline, which the master let go of, says: stop."""
        if not self.retiring:
            self.retire()
        try:
            told = self.lifeline.recv(1)
        except ConnectionResetError:  # the master was killed before it had heard of us
            told = b""
        if not told:
            self.stop()

    def retire(self):
        """Let nobody in any more. Those who are in may ask once again."""
        self.retiring = True
        self.mind_the_door(time.monotonic())
        self.listen_socket.close()

    def stop(self):
        """Give an answer to all who have asked by now, and leave."""
        self.stopping = True
        self.selector.unregister(self.lifeline)
        for key, _ in self.selector.select(0):  # their requests lie in the kernel
            key.data()
            self.show_life()
        for connection in list(self.connections):
            if not connection.asking:
                connection.leave()

    def mind_the_door(self, now):
        """Accept while there is room; else new clients wait in the queue, and nobody else minds."""
        has_room = len(self.connections) + len(self.lent) < self.most and now >= self.closed_until
        has_room = has_room and not self.retiring
        if has_room and not self.accepting:
            self.selector.register(self.listen_socket, READ, self.accept)
        elif self.accepting and not has_room:
            self.selector.unregister(self.listen_socket)
        self.accepting = has_room

    def accept(self):
        for _ in range(16):  # no more at once: the other workers want some, too
            try:
                client_connection, client_address = self.listen_socket.accept()
            except BlockingIOError:  # that was the last one
                return
            except OSError:  # no descriptor is left after all
                self.closed_until = time.monotonic() + TICK
                return
            client_connection.setblocking(False)
            Connection(self, client_connection, client_address)
            self.show_life()


class Child:
    """A worker as the master sees it: its PID, the master's end of its lifeline, its progress."""

    def __init__(self, pid, lifeline):
        self.pid = pid
        self.lifeline = lifeline
        self.born = time.monotonic()
        self.serves = False
        self.old = False  # and to be replaced
        self.retired = False


class Master:
    """The first process. It serves nobody: it forks the workers, and replaces those that die."""

    def __init__(self, listen_socket, inode, options):
        self.listen_socket = listen_socket
        self.inode = inode  # of the file that goes with it
        self.options = options
        self.workers = {}  # each Child by its PID
        self.announced = False  # whether one has ever served
        self.failures, self.not_before = 0, 0
        self.signals = arriving_as_bytes()
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.signals, READ, self.heed_signals)

    def run(self):
        while self.workers or not self.stopping:
            self.fork_the_next()
            for key, _ in self.selector.select(TICK):
                key.data()

    def heed_signals(self):
        for signum in self.signals.recv(4096):  # sleeps until there is one
            if signum == signal.SIGCHLD:
                self.bury_the_dead()
            elif signum == signal.SIGHUP:
                self.reload()
            elif not self.stopping:
                self.stop()
            else:  # told so again, or GRACE is over
                self.kill_workers()

    def fork_the_next(self):
        """One at a time: the first shows whether the application can be loaded at all."""
        young = [child for child in self.workers.values() if not child.old]
        if self.stopping or len(young) >= self.options.workers:
            return
        loading = [child for child in self.workers.values() if not child.serves]
        if not loading and time.monotonic() >= self.not_before:
            self.fork_worker()

    def fork_worker(self):
        lifeline, workers_end = socket.socketpair()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until the worker has its own handlers
        try:
            pid = os.fork()  # called once, returns twice
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            say(f"Cannot fork a worker: {error}. Trying again.", sys.stderr)
            self.wait_longer()
            return
        if pid == 0:  # in the child
            self.let_go(lifeline)
            Worker(self.listen_socket, self.options, workers_end).serve()
            faulthandler.dump_traceback_later(GRACE, exit=True)  # for threads that go on
            sys.exit()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        workers_end.close()
        child = self.workers[pid] = Child(pid, lifeline)
        self.selector.register(lifeline, READ, lambda: self.greet(child))

    def let_go(self, lifeline):
        """In a worker: a lifeline ends when nobody holds the master's end of it any more."""
        for child in self.workers.values():
            child.lifeline.close()
        lifeline.close()
        self.selector.close()
        self.signals.close()

    def greet(self, child):
        """It serves by now, or it has ended."""
        if child.pid not in self.workers:  # and was buried a moment ago
            return
        child.serves = bool(child.lifeline.recv(1))
        self.selector.unregister(child.lifeline)
        if child.serves and not self.announced and not self.stopping:
            self.announced = True
            name = self.listen_socket.getsockname()
            place = f"port {name[1]}" if isinstance(name, tuple) else f"unix:{name}"
            print(f"WSGIServer: Serving HTTP on {place} ...", flush=True)
            say_ready()
        if child.serves:
            self.retire_an_old_one()

    def reload(self):
        for child in self.workers.values():
            child.old = True

    def retire_an_old_one(self):
        for child in self.workers.values():
            if child.old and not child.retired:
                child.retired = True
                with suppress(OSError):  # it may have died meanwhile
                    child.lifeline.send(b"!")
                return

    def keep_the_old_ones(self):
        for child in self.workers.values():
            if child.old and not child.retired:
                say(f"Worker {child.pid} stays, with the old code.", sys.stderr)
                child.old = False

    def wait_longer(self):
        self.failures = min(self.failures + 1, 7)
        self.not_before = time.monotonic() + 0.05 * 2 ** self.failures

    def stop(self):
        self.stopping = True
        self.remove_file()
        self.listen_socket.close()
        for child in self.workers.values():
            if not child.serves:  # it has nothing to finish, and may never come so far
                os.kill(child.pid, signal.SIGKILL)
            with suppress(OSError):  # it may be gone already
                child.lifeline.shutdown(socket.SHUT_RDWR)  # or it sees the end of its lifeline
        signal.alarm(GRACE)

    def remove_file(self):
        """Not if the socket was handed over, and not if another server's file is there by now."""
        path = self.listen_socket.getsockname()
        with suppress(OSError):
            if self.inode and os.stat(path).st_ino == self.inode:
                os.unlink(path)

    def bury_the_dead(self):
        while True:  # one signal may stand for many
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:  # there are no children
                return
            if pid == 0:  # there are, but none of them has ended
                return
            if pid in self.workers:  # and no child that was here before us
                self.bury(self.workers.pop(pid), os.waitstatus_to_exitcode(status))

    def bury(self, child, status):
        if child.lifeline in self.selector.get_map():
            self.selector.unregister(child.lifeline)
        child.lifeline.close()
        if self.stopping:
            return
        if child.retired:
            return
        if not self.announced:
            self.remove_file()
            sys.exit(1)  # it has said why
        say(f"Worker {child.pid} died, status {status}.", sys.stderr)
        if not child.serves and not child.old:  # else another reload was asked for meanwhile
            self.keep_the_old_ones()
        if child.serves and time.monotonic() - child.born > 1:  # second
            self.failures = 0
        else:  # it did not get far
            self.wait_longer()

    def kill_workers(self):
        for pid in self.workers:
            os.kill(pid, signal.SIGKILL)


def arriving_as_bytes():
    """A socket to wait on for SIGNALS. A handler would run anywhere, between any two lines, and a
    signal in the instant before a wait would not end it. (See signal.set_wakeup_fd.)"""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for signum in SIGNALS:
        signal.signal(signum, do_nothing)
    os.register_at_fork(after_in_child=back_to_default)
    return reader


def do_nothing(signum, frame):
    """Without a handler of ours the signal would do what it always does."""


def back_to_default():
    """For each child, those of the application as well: what the master heeds is not theirs."""
    signal.set_wakeup_fd(-1)
    for signum in SIGNALS:
        signal.signal(signum, signal.SIG_DFL)


def say_ready():
    """To systemd, if it wants to know: sd_notify(3)."""
    if NOTIFY_SOCKET:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
            messenger.sendto(b"READY=1", re.sub("^@", "\0", NOTIFY_SOCKET))


def most_connections():
    """How many descriptors clients may have; the others are for files, and for the application."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limit - min(100, limit // 2)


class Parser(argparse.ArgumentParser):
    def error(self, why):
        sys.exit(f"It does not start: {why}. It wants a module:callable; see --help for the rest.")


def count(text):
    if int(text) < 0:
        raise ValueError
    return int(text)


def seconds(text):
    if not 0 <= float(text) <= 1_000_000:  # nor is it nan
        raise ValueError
    return float(text)


def read_options():
    parser = Parser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("application", metavar="module:callable", help="what to serve, such as part2.wsgiapp:app")
    add("--workers", type=count, default=os.cpu_count(), metavar="N", help="processes that serve")
    add("--threads", type=count, default=0, metavar="N",
        help="threads a worker, for applications that block; 0 is none")
    add("--bind", default=f"{HOST}:{PORT}", metavar="PLACE",
        help="where to listen: HOST:PORT, [IPv6]:PORT or unix:PATH")
    add("--timeout", type=seconds, default=TIMEOUT, metavar="S",
        help="seconds to wait for a client")
    add("--hang-timeout", type=seconds, default=30, metavar="S",
        help="seconds that a worker may hang; 0 is for ever")
    add("--quiet", action="store_true", help="no line for each request")
    options = parser.parse_args()
    if ":" not in options.application:
        parser.error(f"{options.application} has no colon")
    if options.workers == 0 or options.timeout == 0:
        parser.error("--workers and --timeout are above 0")
    return options


def main():
    options = read_options()
    try:
        listen_socket, inode = handed_over(), None
    except (OSError, ValueError) as error:
        sys.exit(f"Cannot take the sockets that LISTEN_FDS counts: {error}. Hand over one.")
    try:
        if not listen_socket:
            listen_socket, inode = listen(options.bind)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {options.bind}: {error}. Choose another PORT, HOST or --bind.")
    if listen_socket.family != socket.AF_UNIX:  # small blocks go at once
        listen_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listen_socket.setblocking(False)
    Master(listen_socket, inode, options).run()


if __name__ == "__main__":
    main()
