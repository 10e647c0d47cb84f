"""The server to use: workers, each an event loop; complete WSGI; connections that stay open.

Builds on webserver3j.py, webserver3k.py and part2/webserver2b.py. The idea: a connection is a
generator. It goes the way of 2b, and where 2b waits for its client, it yields to the others.

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
import io
import os
import pkgutil
import re
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import unquote
from wsgiref.handlers import format_date_time, is_hop_by_hop

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
TIMEOUT = os.environ.get("TIMEOUT") or "10"  # seconds: for a head, then for each block
REQUEST_QUEUE_SIZE = 1024
TICK, GRACE = 0.25, 30  # seconds: from one look at the clock to the next; for a stop
BLOCK = 65536  # bytes that are read at a time
MAX_HEAD, MAX_HEADERS = 65536, 100  # bytes of request line and headers; how many headers
MAX_BODY, MAX_IN_MEMORY = 1 << 30, 1 << 20  # bytes; the rest goes to a temporary file
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
RETIRE = {signal.SIGUSR1, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
WITH_FIN = getattr(socket, "MSG_MORE", 0)  # these data wait for the FIN, and travel with it

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
TEXT = r"[\t\x20-\x7e\x80-\xff]*"  # no CR, LF or NUL: no line can hide in another
AUTHORITY = r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~!$&'()*+;=%-]+)(?::[0-9]*)?"  # RFC 3986, 3.2
TARGET = (rf"(?<!^CONNECT )(?:(?i:https?)://(?P<HTTP_HOST>{AUTHORITY})|(?=/)|(?<=OPTIONS )\*(?= ))"
          r"(?P<PATH_INFO>/[^\0-\x20\x7f?#]*)?(?:\?(?P<QUERY_STRING>[^\0-\x20\x7f#]*))?")
REQUEST_LINE = re.compile(rf"(?P<REQUEST_METHOD>{TOKEN}) {TARGET} (?P<SERVER_PROTOCOL>HTTP/\d\.\d)")
FIELD = re.compile(rf"({TOKEN}):[ \t]*({TEXT})")  # RFC 9112, 5
CHUNK_SIZE = re.compile(rf"([0-9A-Fa-f]+)[ \t]*(?:;{TEXT})?".encode("latin-1"))  # RFC 9112, 7.1
HOSTS, STATUS = re.compile(f"({AUTHORITY})?"), re.compile(f"[2-9][0-9][0-9] {TEXT}")


class Refused(Exception):
    """A request that no application shall see: the status code to answer with, and why."""


class ClientLeft(BaseException):
    """The client is gone, or takes nothing any more. No application shall catch that."""


def insist(condition, error, *details):
    if not condition:
        raise error(*details)


@functools.lru_cache(maxsize=512)
def understand(head):
    """A head's part of environ, the length of the body, and whether another request may follow."""
    request_line, *lines = head.decode("latin-1").split("\r\n")
    match = REQUEST_LINE.fullmatch(request_line)
    insist(match, Refused, 400, "the request line is not: method, target, HTTP version")
    version = match["SERVER_PROTOCOL"]
    insist(version in ("HTTP/1.0", "HTTP/1.1"), Refused, 505, "this server speaks HTTP/1.1")
    environ = {"SCRIPT_NAME": "", "QUERY_STRING": "", **parse_headers(lines)}
    host = environ.get("HTTP_HOST", "" if version == "HTTP/1.0" else "none, not even empty")
    insist(HOSTS.fullmatch(host), Refused, 400, "a request has one Host")
    environ |= {name: text for name, text in match.groupdict().items() if text is not None}
    environ["PATH_INFO"] = unquote(match["PATH_INFO"] or "/", "latin-1")
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    wishes = environ.get("HTTP_CONNECTION", "").lower()  # RFC 9112, 9.3
    keep_alive = "keep-alive" in wishes if version == "HTTP/1.0" else "close" not in wishes
    return environ, body_length(environ), keep_alive


def parse_headers(lines):
    """The headers by their names in environ; what comes more than once is joined."""
    insist(len(lines) <= MAX_HEADERS, Refused, 431, f"more than {MAX_HEADERS} headers")
    environ = {}
    for line in lines:
        insist(match := FIELD.fullmatch(line), Refused, 400, "a header is not: name, colon, value")
        key, value = "HTTP_" + match[1].upper().replace("-", "_"), match[2].rstrip(" \t")
        if "_" not in match[1]:  # such a name could pass for one with a dash
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def body_length(environ):
    """In bytes, or None if it is chunked; takes the headers away that only the server needs."""
    coding = environ.pop("HTTP_TRANSFER_ENCODING", None)  # RFC 9112, 6
    length = environ.pop("HTTP_CONTENT_LENGTH", None if coding else "0")
    if coding is None:
        insist(length.isdecimal() and len(length) < 16, Refused, 400, "Content-Length is no number")
        insist(int(length) <= MAX_BODY, Refused, 413, f"more than {MAX_BODY} bytes")
        return int(length)
    insist(length is None and environ["SERVER_PROTOCOL"] != "HTTP/1.0", Refused, 400, "ambiguous")
    insist(coding.lower() == "chunked", Refused, 501, "the one transfer coding is chunked")
    return None


@functools.lru_cache(maxsize=256)
def assemble_head(status, headers):
    """The application's part of a head, its Content-Length if it has one, whether it has a Date."""
    insist(STATUS.fullmatch(status), ValueError, f"status {status!r}")
    for name, value in headers:
        well_formed = ":" not in name and FIELD.fullmatch(name + ":" + value)
        insist(well_formed and not is_hop_by_hop(name), ValueError, f"header {(name, value)}")
    given = [name.lower() for name, _ in headers]
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    insist(",".join(lengths or "0").isdecimal(), ValueError, f"Content-Length {lengths}")
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    lines += ["Server: WSGIServer\r\n"] * ("server" not in given)
    head = f"HTTP/1.1 {status}\r\n{''.join(lines)}".encode("latin-1")
    return head, int(lengths[0]) if lengths else None, "date" in given


class Response:
    """What the application answers, and how it goes out: with which headers, in which frame."""

    def __init__(self, connection, request, keep_alive):
        self.connection, self.keep_alive = connection, keep_alive
        self.method, self.version = request["REQUEST_METHOD"], request["SERVER_PROTOCOL"]
        self.status, self.headers_sent, self.chunked, self.remaining = None, False, False, 0

    def start_response(self, status, headers, exc_info=None):
        insist(not (exc_info and self.headers_sent), lambda: exc_info[1])  # it is too late
        insist(exc_info or not self.status, RuntimeError, "called again, and without exc_info")
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
        insist(self.status, RuntimeError, "the application did not call start_response")
        head = b"" if self.headers_sent else self.complete_head(length)
        if self.chunked:  # RFC 9112, 7.1
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
        if bodyless or self.method == "HEAD" or self.length is not None:
            self.remaining = 0 if bodyless or self.method == "HEAD" else self.length
        elif self.version == "HTTP/1.1":
            self.chunked, head = True, head + b"Transfer-Encoding: chunked\r\n"
        else:
            self.keep_alive, self.remaining = False, sys.maxsize
        if not self.keep_alive:
            return head + b"Connection: close\r\n\r\n"
        return head + (b"\r\n" if self.version == "HTTP/1.1" else b"Connection: keep-alive\r\n\r\n")


class Connection:
    """One client. Where converse has to wait, it yields what for: READ or WRITE."""

    def __init__(self, worker, client_connection, client_address):
        self.worker, self.socket, self.host = worker, client_connection, client_address[0]
        self.buffer, self.kept = b"", b""  # what came early; what write() could not send
        self.waits_for, self.steps = 0, self.converse()
        worker.connections.add(self)

    def advance(self, interruption=None):
        """Go on, until there is nothing to do but to wait for this client."""
        try:
            waits_for = self.steps.throw(interruption) if interruption else next(self.steps)
            if waits_for != self.waits_for:
                selector = self.worker.selector
                change = selector.modify if self.waits_for else selector.register
                change(self.socket, waits_for, self.advance)
                self.waits_for = waits_for
        except (StopIteration, ClientLeft, OSError):
            self.close()
        except (Exception, SystemExit):  # of an application's close()
            traceback.print_exc()
            self.close()

    def close(self):
        if self.waits_for:
            self.worker.selector.unregister(self.socket)
            self.waits_for = 0
        self.worker.connections.discard(self)
        self.socket.close()
        self.steps.close()  # and with it the application's iterable

    def give_time(self, seconds=None):
        self.deadline = time.monotonic() + (seconds or self.worker.options.timeout)

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
        parse = understand if len(head) < 2048 else understand.__wrapped__  # nobody repeats that
        request, length, keep_alive = parse(head)
        body = io.BytesIO() if length == 0 else (yield from self.read_body(request, length))
        environ = {**self.worker.environ, **request, "REMOTE_ADDR": self.host,
                   "CONTENT_LENGTH": str(body.tell()), "wsgi.input": body}
        body.seek(0)
        response = Response(self, request, keep_alive and not self.worker.stopping)
        yield from self.respond(response, environ)
        self.worker.note(self.host, head, response.status)
        return response.keep_alive and not response.remaining  # less came than was promised

    def respond(self, response, environ):
        """Call the application, and send what it gives (PEP 3333)."""
        blocks = None
        try:
            blocks = self.worker.application(environ, response.start_response)
            if isinstance(blocks, (list, tuple)) and not response.headers_sent:
                data = response.frame(body := b"".join(blocks), len(body))
                if unsent := self.send_now(data, 0 if response.keep_alive else WITH_FIN):
                    yield from self.send(unsent)
            else:
                for block in filter(None, blocks):  # no faster than the client takes them
                    yield from self.send(response.frame(block))
                    self.give_time()
                    yield WRITE  # when the others have had their turn
                yield from self.send(response.frame(b"", 0))  # the last chunk, or the headers
        except (Exception, SystemExit):  # the application's fault: show it, and go on
            traceback.print_exc()
            insist(response.headers_sent, Refused, 500, "the application failed")
            response.keep_alive = False  # in the middle of a body, the end of all has to tell
        finally:
            getattr(blocks, "close", bool)()

    def refuse(self, head, code, why):
        """Answer in the application's place; read on for a while, or RST overtakes the answer."""
        status = f"{code} {HTTPStatus(code).phrase}"
        ours = "Content-Type: text/plain\r\nServer: WSGIServer\r\nConnection: close\r\n"
        yield from self.send(f"HTTP/1.1 {status}\r\n{ours}".encode() + self.worker.date
                             + f"\r\n{HTTPStatus(code).phrase}: {why}\n".encode())
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
        insist(block, ClientLeft if self.idle else Refused, 400, "the request ends early")
        self.buffer += block

    def read_until(self, mark, too_large=None):
        """The bytes before the mark, MAX_HEAD at most; the mark goes, too."""
        while (end := self.buffer.find(mark, 0, MAX_HEAD)) < 0:
            if len(self.buffer) >= MAX_HEAD:
                raise Refused(too_large or (431 if b"\r\n" in self.buffer else 414), "too long")
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
        yield from self.read_chunks(body) if length is None else self.copy(length, body)
        return body

    def read_chunks(self, body):
        """RFC 9112, 7.1, without extensions and trailers."""
        size, trailers = None, []
        while size != 0:
            self.give_time()
            match = CHUNK_SIZE.fullmatch((yield from self.read_until(b"\r\n", 400)))
            insist(match, Refused, 400, "a chunk does not begin with its size in hexadecimal")
            size = int(match[1], 16)
            insist(body.tell() + size <= MAX_BODY, Refused, 413, f"more than {MAX_BODY} bytes")
            yield from self.copy(size, body)
            if size:
                yield from self.copy(2, end := io.BytesIO())
                insist(end.getvalue() == b"\r\n", Refused, 400, "a chunk without its end")
        while line := (yield from self.read_until(b"\r\n", 431)):
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
        for signum in signal.SIGINT, signal.SIGCHLD, signal.SIGALRM:  # the master's no more
            signal.signal(signum, signal.SIG_DFL)
        self.application = load_application(options.application)
        self.listen_socket, self.options, self.lifeline = listen_socket, options, lifeline
        host, port = listen_socket.getsockname()
        self.environ = {
            "SERVER_NAME": host, "SERVER_PORT": str(port), "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.run_once": False,
            "wsgi.multithread": False, "wsgi.multiprocess": options.workers > 1,
        }
        self.connections, self.stopping = set(), False
        self.signals = arriving_as_bytes(*RETIRE)
        self.selector = selectors.DefaultSelector()
        self.selector.register(listen_socket, READ, self.accept)
        self.selector.register(self.signals, READ, self.heed_signals)
        self.selector.register(lifeline, READ, self.stop)  # it ends when the master lets go of it

    def run(self):
        self.tick()
        while self.connections or not self.stopping:
            for key, _ in self.selector.select(TICK):
                key.data()
            if time.monotonic() > self.next_tick:
                self.tick()

    def tick(self):
        """Every now and then: a new Date, and an end for clients that keep us waiting."""
        now = time.monotonic()
        self.next_tick = now + TICK
        self.date = f"Date: {format_date_time(time.time())}\r\n".encode()
        for connection in [each for each in self.connections if each.deadline < now]:
            asking = connection.waits_for == READ and not connection.idle
            connection.advance(Refused(408, "it took too long") if asking else ClientLeft())

    def accept(self):
        try:
            for _ in range(64):  # no more at once: the other workers want some, too
                client_connection, client_address = self.listen_socket.accept()
                client_connection.setblocking(False)
                Connection(self, client_connection, client_address).advance()
        except BlockingIOError:  # that was the last one
            pass
        except OSError:  # no descriptor is left: for a moment they have to wait in the queue
            time.sleep(0.01)

    def note(self, host, head, status):
        if not self.options.quiet:
            request_line = repr(head.partition(b"\r\n")[0][:1000])[1:]
            with suppress(OSError):  # nobody reads it
                os.write(1, f"{host} {request_line} {status[:3]}\n".encode())

    def heed_signals(self):
        if not RETIRE.isdisjoint(self.signals.recv(BLOCK)):  # the application may have its own
            self.retire()

    def retire(self):
        """Let nobody in any more. Those who are in may ask once again, and have their answer."""
        if not self.stopping:
            self.stopping = True
            self.selector.unregister(self.listen_socket)
            self.listen_socket.close()

    def stop(self):
        """Answer what has been asked by now, and leave."""
        self.retire()
        for source in self.lifeline, self.signals:  # from now on only clients count
            self.selector.unregister(source)
        for key, _ in self.selector.select(0):
            key.data()
        for connection in [each for each in self.connections if each.idle]:
            connection.close()


class Master:
    """The first process. It serves nobody: it forks the workers, and replaces those that die."""

    def __init__(self, listen_socket, options):
        self.listen_socket, self.options = listen_socket, options
        self.workers, self.children = set(), set()  # PIDs; children are retired workers as well
        self.wanted, self.failures, self.not_before = options.workers, 0, 0  # who fails, waits
        self.lifeline, self.held_by_master = os.pipe()
        self.signals = arriving_as_bytes(*RETIRE, signal.SIGCHLD, signal.SIGALRM)
        self.signals.settimeout(0.5)

    def run(self):
        if not self.fork_worker():
            sys.exit(1)  # it has said why
        port = self.listen_socket.getsockname()[1]
        print(f"WSGIServer: Serving HTTP on port {port} ...", flush=True)
        while self.children or self.wanted:
            while len(self.workers) < self.wanted and time.monotonic() >= self.not_before:
                self.failures = 0 if self.fork_worker() else self.failures + 1
                self.not_before = time.monotonic() + min(self.failures ** 2 / 4, 5)
            with suppress(TimeoutError):
                for signum in self.signals.recv(BLOCK):
                    self.heed(signum)

    def fork_worker(self):
        """Whether a new worker has come so far as to serve."""
        ready, tell_ready = socket.socketpair()
        try:
            pid = os.fork()
        except OSError as error:
            print(f"Cannot fork a worker: {error}. Trying again.", file=sys.stderr)
            return False
        if pid == 0:  # in the child
            os.close(self.held_by_master)
            worker = Worker(self.listen_socket, self.options, self.lifeline)
            tell_ready.send(b"!")
            sys.exit(worker.run())
        self.children.add(pid)
        tell_ready.close()
        if serves := ready.recv(1):  # or nothing, if the child has died
            self.workers.add(pid)
        return bool(serves)

    def heed(self, signum):
        if signum == signal.SIGCHLD:  # one may stand for many
            with suppress(ChildProcessError):  # there are none any more
                for pid, status in iter(lambda: os.waitpid(-1, os.WNOHANG), (0, 0)):
                    self.children.remove(pid)
                    if pid in self.workers and self.wanted:
                        status = os.waitstatus_to_exitcode(status)
                        print(f"Worker {pid} died, status {status}.", file=sys.stderr)
                    self.workers.discard(pid)
        elif signum == signal.SIGHUP:
            for pid in list(self.workers)[:self.wanted]:
                if self.fork_worker():  # else the old one stays
                    self.workers.remove(pid)
                    os.kill(pid, signal.SIGUSR1)
        elif self.wanted:
            self.wanted = 0
            self.listen_socket.close()
            os.close(self.held_by_master)  # each worker sees the end of its lifeline
            signal.alarm(GRACE)
        else:  # told to stop again, or GRACE is over
            for pid in self.children:
                os.kill(pid, signal.SIGKILL)


def arriving_as_bytes(*signums):
    """A socket to wait on for these signals: none is missed in the instant before (PEP 475)."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for signum in signums:
        signal.signal(signum, lambda signum, frame: None)
    return reader


def load_application(name):
    """Import what "module:callable" names, from the current folder as well."""
    sys.path.insert(0, os.getcwd())
    try:
        application = pkgutil.resolve_name(name)
        insist(callable(application), TypeError, f"{name.rpartition(':')[2]} cannot be called")
        return application
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[2:]  # all but ours and pkgutil's
        where = [f" ({f.filename}:{f.lineno})" for f in frames if "importlib" not in f.filename]
        sys.exit(f"Cannot load {name}: {type(error).__name__}: {error}{''.join(where[-1:])}")


def read_options():
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.error = lambda why: sys.exit(f"Name one module:callable, or see --help: {why}.")
    add = parser.add_argument
    add("application", metavar="module:callable", help="what to serve, such as part2.wsgiapp:app")
    add("--workers", type=int, default=os.cpu_count(), metavar="N", help="processes that serve")
    add("--bind", default=f"{HOST}:{PORT}", metavar="HOST:PORT", help="where to listen")
    add("--timeout", type=float, default=TIMEOUT, metavar="S", help="seconds to wait for a client")
    add("--quiet", action="store_true", help="no line for each request")
    options = parser.parse_args()
    if ":" not in options.application or options.workers < 1 or not options.timeout > 0:
        parser.error("the application needs its colon; workers and timeout are above 0")
    return options


def main():
    options = read_options()
    host, _, port = options.bind.rpartition(":")
    try:
        listen_socket = socket.create_server((host or HOST, int(port)), backlog=REQUEST_QUEUE_SIZE)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {options.bind}: {error}. Choose another PORT (or HOST).")
    listen_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited
    listen_socket.setblocking(False)
    Master(listen_socket, options).run()


if __name__ == "__main__":
    main()
