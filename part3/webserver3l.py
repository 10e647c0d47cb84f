"""The server to use: workers, each an event loop; complete WSGI; connections that stay open.

Builds on webserver3j.py (workers), webserver3k.py (the loop) and part2/webserver2b.py (WSGI, and
HTTP by the letter). The idea: a connection is a generator, `converse`, that reads as 2b does from
top to bottom. Wherever 2b waits for its client, it yields, and the loop goes on with another.

Try it:
    python part3/webserver3l.py part2.flaskapp:app     (--help names the options)
    curl -v http://localhost:8888/hello http://localhost:8888/hello      (on one connection)
    kill -HUP PID      (of the first process: new workers, one by one, and nobody is turned away)

On purpose:
    An application that blocks, blocks its worker, and with it all clients of that worker.
    It speaks no TLS: that belongs in front of it, in nginx for example.
"""

import argparse
import functools
import importlib
import io
import os
import re
import select
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from http import HTTPStatus
from urllib.parse import unquote
from wsgiref.handlers import format_date_time, is_hop_by_hop

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
TIMEOUT = os.environ.get("TIMEOUT") or "10"  # seconds: for a head, then for each block
REQUEST_QUEUE_SIZE = 1024
GRACE = 30  # seconds to finish what is in flight when the server is told to stop
BLOCK = 65536  # bytes that are read at a time
MAX_HEAD, MAX_HEADERS = 65536, 100  # bytes of request line and headers; how many headers
MAX_BODY, MAX_IN_MEMORY = 1 << 30, 1 << 20  # bytes; the rest goes to a temporary file
CHUNKED = -1  # the length of a body that comes in chunks
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
WITH_FIN = getattr(socket, "MSG_MORE", 0)  # these data wait for the FIN, and travel with it
STARTING, SERVING, OUTDATED, RETIRED = "starting", "serving", "outdated", "retired"

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
TEXT = r"[\t\x20-\x7e\x80-\xff]*"  # no CR, LF or NUL: no line can hide in another
AUTHORITY = r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~!$&'()*+;=%-]+)(?::[0-9]*)?"  # RFC 3986, 3.2
TARGET = (rf"(?<!^CONNECT )(?:(?i:https?)://(?P<HTTP_HOST>{AUTHORITY})|(?=/)|(?<=OPTIONS )\*(?= ))"
          r"(?P<PATH_INFO>/[^\0-\x20\x7f?#]*)?(?:\?(?P<QUERY_STRING>[^\0-\x20\x7f#]*))?")
REQUEST_LINE = re.compile(rf"(?P<REQUEST_METHOD>{TOKEN}) {TARGET} (?P<SERVER_PROTOCOL>HTTP/\d\.\d)")
FIELD = re.compile(rf"({TOKEN}):[ \t]*({TEXT})")  # RFC 9112, 5
CHUNK_SIZE = re.compile(rf"([0-9A-Fa-f]+)[ \t]*(?:;{TEXT})?")  # RFC 9112, 7.1
HOSTS, STATUS = re.compile(f"({AUTHORITY})?"), re.compile(f"[2-9][0-9][0-9] {TEXT}")


class Refused(Exception):
    """A request that no application shall see: the status code to answer with, and why."""


class ClientLeft(OSError):
    """The client is gone, or takes nothing any more."""


def insist(condition, error):
    if not condition:
        raise error


@functools.lru_cache(maxsize=512)
def understand(head):
    """What a head says: its part of environ, the length of the body, and whether another request
    may follow. Clients repeat themselves, so it is remembered. Raises Refused."""
    request_line, *lines = head.decode("latin-1").split("\r\n")
    match = REQUEST_LINE.fullmatch(request_line)
    insist(match, Refused(400, "the request line is not: method, target, HTTP version"))
    version = match["SERVER_PROTOCOL"]
    insist(version in ("HTTP/1.0", "HTTP/1.1"), Refused(505, "this server speaks HTTP/1.1"))
    environ = {"SCRIPT_NAME": "", "QUERY_STRING": "", "CONTENT_LENGTH": "0", **parse_headers(lines)}
    host = environ.get("HTTP_HOST", "" if version == "HTTP/1.0" else "none, not even empty")
    insist(HOSTS.fullmatch(host), Refused(400, "a request has one Host"))
    environ |= {name: text for name, text in match.groupdict().items() if text is not None}
    environ["PATH_INFO"] = unquote(match["PATH_INFO"] or "/", "latin-1")
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    wishes = environ.get("HTTP_CONNECTION", "").lower()  # RFC 9112, 9.3
    keep_alive = "keep-alive" in wishes if version == "HTTP/1.0" else "close" not in wishes
    return environ, body_length(environ), keep_alive


def parse_headers(lines):
    """The headers by their names in environ; what comes more than once is joined."""
    insist(len(lines) <= MAX_HEADERS, Refused(431, f"more than {MAX_HEADERS} headers"))
    environ = {}
    for line in lines:
        insist(match := FIELD.fullmatch(line), Refused(400, "a header is not: name, colon, value"))
        key, value = "HTTP_" + match[1].upper().replace("-", "_"), match[2].rstrip(" \t")
        if "_" not in match[1]:  # such a name could pass for one with a dash
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def body_length(environ):
    """In bytes, or CHUNKED; takes away the headers that tell, for the server alone needs them."""
    coding = environ.pop("HTTP_TRANSFER_ENCODING", None)  # RFC 9112, 6
    length = environ.pop("HTTP_CONTENT_LENGTH", None if coding else "0")
    if coding is None:
        insist(length.isdecimal() and len(length) < 16, Refused(400, "Content-Length is no number"))
        insist(int(length) <= MAX_BODY, Refused(413, f"more than {MAX_BODY} bytes"))
        return int(length)
    insist(length is None and environ["SERVER_PROTOCOL"] != "HTTP/1.0", Refused(400, "ambiguous"))
    insist(coding.lower() == "chunked", Refused(501, "the one transfer coding is chunked"))
    return CHUNKED


@functools.lru_cache(maxsize=256)
def assemble_head(status, headers):
    """The application's status and headers in bytes, its Content-Length if it has one, and whether
    a Date is among them. Applications repeat themselves, too. Raises ValueError."""
    insist(STATUS.fullmatch(status), ValueError(f"status {status!r}"))
    for name, value in headers:
        well_formed = ":" not in name and FIELD.fullmatch(name + ":" + value)
        insist(well_formed and not is_hop_by_hop(name), ValueError(f"header {(name, value)}"))
    given = [name.lower() for name, _ in headers]
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    insist(",".join(lengths or "0").isdecimal(), ValueError(f"Content-Length {lengths}"))
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    lines += ["Server: WSGIServer\r\n"] * ("server" not in given)
    head = f"HTTP/1.1 {status}\r\n{''.join(lines)}".encode("latin-1")
    return head, int(lengths[0]) if lengths else None, "date" in given


class Response:
    """What the application answers, and how it goes out: with which headers, in which frame."""

    def __init__(self, connection, request, keep_alive):
        self.connection, self.keep_alive = connection, keep_alive
        self.method, self.version = request["REQUEST_METHOD"], request["SERVER_PROTOCOL"]
        self.status, self.headers_sent, self.chunked = None, False, False

    def start_response(self, status, headers, exc_info=None):
        insist(not (exc_info and self.headers_sent), exc_info and exc_info[1])  # it is too late
        insist(exc_info or not self.status, RuntimeError("called again, and without exc_info"))
        self.head, self.length, self.has_date = assemble_head(status, tuple(headers))
        self.status = status
        return self.write

    def write(self, block):
        """It cannot yield: what the kernel does not take now is kept for later."""
        connection = self.connection
        if block:
            connection.kept = bytes(connection.send_now(connection.kept + self.frame(block)))

    def frame(self, block, length=None):
        """A block as it goes out, the first with the headers; length is the whole body's."""
        insist(self.status, RuntimeError("the application did not call start_response"))
        head = b"" if self.headers_sent else self.complete_head(length)
        if self.chunked:
            data = b"%b%x\r\n%b\r\n" % (head, len(block), block)
        else:
            data = head + block[:self.remaining]  # no more than Content-Length says
            self.remaining = max(self.remaining - len(block), 0)
        self.headers_sent = True
        return data

    def complete_head(self, length):
        """Add how the client will know where the body ends, and what comes then (RFC 9112, 6.3)."""
        head = self.head if self.has_date else self.head + self.connection.worker.date
        bodyless = self.status[:3] in ("204", "304")
        if self.length is None and not bodyless and (length or self.method != "HEAD"):
            self.length = length
            head += b"" if length is None else b"Content-Length: %d\r\n" % length
        if bodyless or self.method == "HEAD":
            self.remaining = 0
        elif self.length is not None:
            self.remaining = self.length
        elif self.version == "HTTP/1.1":
            self.chunked, head = True, head + b"Transfer-Encoding: chunked\r\n"
        else:
            self.keep_alive, self.remaining = False, sys.maxsize
        if not self.keep_alive:
            return head + b"Connection: close\r\n\r\n"
        return head + (b"\r\n" if self.version == "HTTP/1.1" else b"Connection: keep-alive\r\n\r\n")

    def end(self):
        """What goes out after the last block; if there was none, that is the headers."""
        if not self.headers_sent:
            return self.frame(b"", 0)
        if not self.chunked and self.remaining:
            self.keep_alive = False  # less came than was promised: the end of all has to tell
        return b"0\r\n\r\n" if self.chunked else b""


class Connection:
    """One client, from accept to close. Its generator, converse, yields READ or WRITE wherever it
    has to wait for the client, and goes on when the loop finds it ready."""

    __slots__ = ("worker", "socket", "host", "buffer", "kept", "deadline", "idle", "waits_for",
                 "steps")

    def __init__(self, worker, client_connection, client_address):
        self.worker, self.socket, self.host = worker, client_connection, client_address[0]
        self.buffer, self.kept = b"", b""  # what came early; what write() could not send
        self.waits_for, self.steps = 0, self.converse()

    def advance(self, interruption=None):
        """Go on, until there is nothing to do but to wait for this client."""
        try:
            waits_for = self.steps.throw(interruption) if interruption else next(self.steps)
            if waits_for != self.waits_for:
                self.worker.wait_for(self, waits_for)
        except (StopIteration, OSError):
            self.close()
        except (Exception, SystemExit):  # an application's close() that fails
            traceback.print_exc()
            self.close()

    def close(self):
        self.worker.forget(self)
        self.socket.close()
        self.steps.close()  # and with it the application's iterable

    def give_time(self, seconds=None):
        self.deadline = self.worker.now + (seconds or self.worker.timeout)

    def converse(self):
        """Request, response, and again, for as long as both sides want to."""
        keep_alive = True
        while keep_alive and not self.worker.stopping:
            self.idle = not self.buffer
            self.give_time()
            head = b""
            try:
                head = (yield from self.read_until(b"\r\n\r\n")).removeprefix(b"\r\n")
                keep_alive = yield from self.exchange(head)
            except Refused as refusal:
                yield from self.refuse(head or self.buffer, *refusal.args)
                return

    def exchange(self, head):
        """One request and its response; whether another may follow."""
        remembered = understand if len(head) < 2048 else understand.__wrapped__
        request, length, keep_alive = remembered(head)
        body = (yield from self.read_body(request, length)) if length else {"wsgi.input": io.BytesIO()}
        response = Response(self, request, keep_alive and not self.worker.stopping)
        environ = {**self.worker.environ, **request, **body, "REMOTE_ADDR": self.host}
        yield from self.respond(response, environ)
        self.worker.note(self.host, head, response.status)
        return response.keep_alive

    def respond(self, response, environ):
        """Call the application, and send what it gives (PEP 3333)."""
        blocks = None
        try:
            blocks = self.worker.application(environ, response.start_response)
            if isinstance(blocks, (list, tuple)) and not response.headers_sent:
                body = b"".join(blocks)
                data = response.frame(body, len(body))
                if unsent := self.send_now(data, 0 if response.keep_alive else WITH_FIN):
                    yield from self.send(unsent)
            else:
                yield from self.stream(response, blocks)
        except ClientLeft:
            raise
        except (Exception, SystemExit):  # the application's fault: show it, and go on
            traceback.print_exc()
            insist(response.headers_sent, Refused(500, "the application failed"))
            response.keep_alive = False  # in the middle of a body, the end of all has to tell
        finally:
            getattr(blocks, "close", bool)()

    def stream(self, response, blocks):
        """Block after block, no faster than the client takes them."""
        for block in filter(None, blocks):
            yield from self.send(response.frame(block))
            self.give_time()
            yield WRITE  # when the others have had their turn
        yield from self.send(response.end())

    def refuse(self, head, code, why):
        """Answer in the application's place; read on for a while, or RST overtakes the answer."""
        response = Response(self, {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.0"}, False)
        status = f"{code} {HTTPStatus(code).phrase}"
        response.start_response(status, [("Content-Type", "text/plain")])
        yield from self.send(response.frame(f"{HTTPStatus(code).phrase}: {why}\n".encode()))
        self.worker.note(self.host, head, status)
        self.socket.shutdown(socket.SHUT_WR)
        self.idle = True
        self.give_time(1)
        while True:
            self.buffer = b""
            yield from self.receive()

    def receive(self):
        """One more block in the buffer."""
        if self.waits_for:  # a new client has often sent something already
            yield READ
        while True:
            try:
                block = self.socket.recv(BLOCK)
                break
            except BlockingIOError:
                yield READ
        insist(block, ClientLeft() if self.idle else Refused(400, "the request ends early"))
        self.buffer += block

    def read_until(self, mark, too_large=431):
        """The bytes before the mark, MAX_HEAD at most; the mark goes, too."""
        while (end := self.buffer.find(mark, 0, MAX_HEAD)) < 0:
            if len(self.buffer) >= MAX_HEAD:
                in_first_line = mark == b"\r\n\r\n" and b"\r\n" not in self.buffer
                raise Refused(414 if in_first_line else too_large, f"more than {MAX_HEAD} bytes")
            yield from self.receive()
            if self.idle:
                self.idle = False
                self.give_time()  # for the head as a whole, from its first byte on
        found, self.buffer = self.buffer[:end], self.buffer[end + len(mark):]
        return found

    def read_body(self, request, length):
        """All of it, in a file: what is wrong with it shows before the application is called."""
        if "HTTP_EXPECT" in request and request["SERVER_PROTOCOL"] == "HTTP/1.1":
            yield from self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = tempfile.SpooledTemporaryFile(MAX_IN_MEMORY)  # noqa: SIM115
        yield from self.read_chunks(body) if length == CHUNKED else self.copy(length, body)
        entries = {"CONTENT_LENGTH": str(body.tell()), "wsgi.input": body}
        body.seek(0)
        return entries

    def read_chunks(self, body):
        """RFC 9112, 7.1, without extensions and trailers."""
        size, trailers = None, []
        while size != 0:
            self.give_time()
            line = yield from self.read_until(b"\r\n", too_large=400)
            match = CHUNK_SIZE.fullmatch(line.decode("latin-1"))
            insist(match, Refused(400, "a chunk does not begin with its size in hexadecimal"))
            size = int(match[1], 16)
            insist(body.tell() + size <= MAX_BODY, Refused(413, f"more than {MAX_BODY} bytes"))
            yield from self.copy(size, body)
            if size:
                yield from self.copy(2, end := io.BytesIO())
                insist(end.getvalue() == b"\r\n", Refused(400, "a chunk without its end"))
        while line := (yield from self.read_until(b"\r\n")):
            trailers.append(line.decode("latin-1"))
            parse_headers(trailers)

    def copy(self, size, file):
        while size:
            if not self.buffer:
                self.give_time()
                yield from self.receive()
            block, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= file.write(block)

    def send(self, data):
        """All of the data, and before them what write() has left behind."""
        data, self.kept = self.kept + data, b""
        while data := self.send_now(data):
            self.give_time()
            yield WRITE

    def send_now(self, data, flags=0):
        """What the kernel does not take of the data now."""
        try:
            sent = self.socket.send(data, flags) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise ClientLeft(error) from None
        return memoryview(data)[sent:] if sent < len(data) else b""


class Worker:
    """A process that serves many connections: its loop goes on with those that are ready."""

    def __init__(self, listen_socket, options, lifeline):
        self.signals = arriving_as_bytes(signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
        self.application = load_application(options.application)
        self.listen_socket, self.lifeline = listen_socket, lifeline
        self.timeout, self.quiet = options.timeout, options.quiet
        host, port = listen_socket.getsockname()
        self.environ = {
            "SERVER_NAME": host, "SERVER_PORT": str(port),
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
            "wsgi.multithread": False, "wsgi.multiprocess": options.workers > 1,
            "wsgi.run_once": False,
        }
        self.connections, self.log = set(), []
        self.accepting = self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.signals, READ, self.heed_signals)
        self.selector.register(lifeline, READ, self.stop)  # it ends when the master does

    def run(self):
        self.tick()
        while self.connections or not self.stopping:
            ready = self.selector.select(self.pause)
            self.now = time.monotonic()
            for key, _ in ready:
                key.data()
            if self.now >= self.next_tick:
                self.tick()
            if self.log:
                os.write(1, "".join(self.log).encode())
                self.log.clear()

    def tick(self):
        """About once a second: a new Date, and an end for clients that keep us waiting."""
        self.now = time.monotonic()
        self.pause = min(1, self.timeout / 4)
        self.next_tick = self.now + self.pause
        self.date = f"Date: {format_date_time(time.time())}\r\n".encode()
        for connection in [each for each in self.connections if each.deadline < self.now]:
            asking = connection.waits_for == READ and not connection.idle
            connection.advance(Refused(408, "it took too long") if asking else ClientLeft())
        self.listen_again()

    def accept(self):
        try:
            for _ in range(64):  # no more at once: the other workers want some, too
                client_connection, client_address = self.listen_socket.accept()
                client_connection.setblocking(False)
                connection = Connection(self, client_connection, client_address)
                self.connections.add(connection)
                connection.advance()
        except BlockingIOError:  # that was the last one
            pass
        except OSError:  # no descriptor is left: the clients wait in the queue until one is
            self.ignore_clients()

    def listen_again(self):
        if not self.accepting and not self.stopping:
            self.selector.register(self.listen_socket, READ, self.accept)
            self.accepting = True

    def ignore_clients(self):
        if self.accepting:
            self.selector.unregister(self.listen_socket)
            self.accepting = False

    def wait_for(self, connection, events):
        """Have it advance when the client has sent something (READ), or can take more (WRITE)."""
        change = self.selector.modify if connection.waits_for else self.selector.register
        change(connection.socket, events, connection.advance)
        connection.waits_for = events

    def forget(self, connection):
        if connection.waits_for:
            self.selector.unregister(connection.socket)
            connection.waits_for = 0
        self.connections.discard(connection)
        self.listen_again()  # a descriptor is free

    def note(self, host, head, status):
        if not self.quiet:
            request_line = repr(head.split(b"\r\n", 1)[0][:1000])[1:]
            self.log.append(f"{host} {request_line} {status[:3]}\n")

    def heed_signals(self):
        signums = self.signals.recv(BLOCK)
        if signal.SIGUSR1 in signums:
            self.retire()
        if signal.SIGTERM in signums:
            self.stop()

    def retire(self):
        """Let nobody in any more. Those who are in may ask once more, and have their answer."""
        if not self.stopping:
            self.stopping = True
            self.ignore_clients()
            self.listen_socket.close()
            self.selector.unregister(self.lifeline)

    def stop(self):
        """Answer what has been asked, and leave."""
        self.retire()
        for key, _ in self.selector.select(0):  # what has come until now
            key.data()
        for connection in [each for each in self.connections if each.idle]:
            connection.close()


class Master:
    """The first process. It serves nobody: it forks the workers, and replaces those that die."""

    def __init__(self, listen_socket, options):
        self.listen_socket, self.options = listen_socket, options
        self.workers = {}  # the state of each, by PID
        self.serving, self.kill_at = False, None
        self.deaths, self.not_before = 0, 0  # so many died at their start; no fork before then
        self.lifeline, self.held_by_master = os.pipe()
        self.news, self.tell_master = os.pipe()  # a worker that is ready writes its PID there
        signums = signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM
        self.signals = arriving_as_bytes(*signums)

    def run(self):
        while self.workers or self.kill_at is None:
            if self.kill_at is None:
                self.fork_what_is_missing()
            elif time.monotonic() > self.kill_at:
                for pid in self.workers:
                    os.kill(pid, signal.SIGKILL)
            readable, _, _ = select.select([self.signals, self.news], [], [], 1)
            if self.signals in readable:
                for signum in self.signals.recv(BLOCK):
                    self.heed(signum)
            if self.news in readable:
                for pid in os.read(self.news, BLOCK).split():
                    self.welcome(int(pid))

    def fork_what_is_missing(self):
        """One by one at first, to see whether they start at all, and later when they replace."""
        states = list(self.workers.values())
        starting = states.count(STARTING)
        missing = self.options.workers - states.count(SERVING) - starting
        if OUTDATED in states or not self.serving:
            missing = min(missing, 1 - starting)
        while missing > 0 and time.monotonic() >= self.not_before:
            self.fork_worker()
            missing -= 1

    def fork_worker(self):
        try:
            pid = os.fork()
        except OSError as error:
            print(f"Cannot fork a worker: {error}. Trying again.", file=sys.stderr)
            self.not_before = time.monotonic() + 1
            return
        if pid == 0:  # in the child
            os.close(self.held_by_master)
            worker = Worker(self.listen_socket, self.options, self.lifeline)
            os.write(self.tell_master, b"%d\n" % os.getpid())
            sys.exit(worker.run())
        self.workers[pid] = STARTING

    def welcome(self, pid):
        """A worker is ready; in exchange an outdated one may go."""
        if not self.serving:
            port = self.listen_socket.getsockname()[1]
            print(f"WSGIServer: Serving HTTP on port {port} ...", flush=True)
        self.serving, self.deaths, self.workers[pid] = True, 0, SERVING
        for other, state in self.workers.items():
            if state == OUTDATED:
                self.workers[other] = RETIRED
                os.kill(other, signal.SIGUSR1)
                return

    def heed(self, signum):
        if signum == signal.SIGCHLD:
            self.reap_children()
        elif signum == signal.SIGHUP:
            self.relabel(SERVING, OUTDATED)
        elif self.kill_at is None:
            self.kill_at = time.monotonic() + GRACE
            self.listen_socket.close()
            os.close(self.held_by_master)  # each worker sees the end of its lifeline
        else:  # told again: at once
            self.kill_at = 0

    def relabel(self, state, new_state):
        self.workers = {pid: new_state if each == state else each
                        for pid, each in self.workers.items()}

    def reap_children(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:  # there are no children
                return
            if pid == 0:  # there are, but none of them has ended
                return
            self.bury(pid, os.waitstatus_to_exitcode(status))

    def bury(self, pid, status):
        state = self.workers.pop(pid)
        if state == RETIRED or self.kill_at is not None:
            return
        if not self.serving:
            sys.exit(status)  # it has said why
        print(f"Worker {pid} died, status {status}.", file=sys.stderr, flush=True)
        if state == STARTING:  # in a reload that does not work the outdated ones stay
            self.relabel(OUTDATED, SERVING)
            self.deaths += 1
            self.not_before = time.monotonic() + min(2 ** self.deaths / 10, 5)


def arriving_as_bytes(*signums):
    """A socket on which these signals arrive, a byte for each (signal.set_wakeup_fd). None of them
    can come in the instant before a process falls asleep, and be missed."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for signum in signums:
        signal.signal(signum, lambda signum, frame: None)
    return reader


def load_application(name):
    """Import what "module:callable" names, from the current folder as well."""
    sys.path.insert(0, os.getcwd())
    module_name, _, callable_name = name.partition(":")
    try:
        application = getattr(importlib.import_module(module_name), callable_name)
        insist(callable(application), TypeError(f"{callable_name} cannot be called"))
        return application
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]  # all but this function's own
        where = [f" ({f.filename}:{f.lineno})" for f in frames if "importlib" not in f.filename]
        sys.exit(f"Cannot load {name}: {type(error).__name__}: {error}{''.join(where[-1:])}")


def read_options():
    parser = argparse.ArgumentParser(description="Serve a WSGI application.")
    parser.error = lambda message: sys.exit(f"{message.capitalize()}. See --help.")
    option = parser.add_argument
    option("application", metavar="module:callable", help="what to serve: part2.wsgiapp:app")
    option("--workers", type=int, default=os.cpu_count(), metavar="N", help="processes that serve")
    option("--bind", default=f"{HOST}:{PORT}", metavar="HOST:PORT", help="where to listen")
    option("--timeout", type=float, default=TIMEOUT, metavar="S", help="seconds to wait for clients")
    option("--quiet", action="store_true", help="without a line for each request")
    options = parser.parse_args()
    if ":" not in options.application or options.workers < 1 or not options.timeout > 0:
        parser.error("name an application as module:callable; workers and timeout are above 0")
    return options


def main():
    options = read_options()
    host, _, port = options.bind.rpartition(":")
    try:
        listen_socket = socket.create_server((host, int(port)), backlog=REQUEST_QUEUE_SIZE)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {options.bind}: {error}. Choose another PORT (or HOST).")
    listen_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its connections inherit it
    listen_socket.setblocking(False)
    Master(listen_socket, options).run()


if __name__ == "__main__":
    main()
