"""The complete WSGI server: all of PEP 3333, and no request that can be read in two ways.

Builds on webserver2.py, with the same seven steps. The idea: every promise of PEP 3333 is kept,
and HTTP taken by the letter (RFC 9110, RFC 9112): what could be read in two ways is refused.

Try it:
    python part2/webserver2b.py part2.flaskapp:app     (or pyramidapp, djangoapp, wsgiapp)
    curl -v 'http://localhost:8888/hello?a=b'          (in a second terminal)
    curl -v -H 'Content-Length: +5' http://localhost:8888/hello     (refused)

On purpose:
    It serves one client at a time, as before; part3/webserver3h.py mends that.
    A connection carries one request; part3/webserver3l.py keeps it open for the next.
"""

import os
import pkgutil
import re
import signal
import socket
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import unquote
from wsgiref.handlers import Headers, format_date_time, is_hop_by_hop

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
TIMEOUT = os.environ.get("TIMEOUT") or "10"  # seconds: for a head, then for each block
REQUEST_QUEUE_SIZE = 1
MAX_HEAD, MAX_HEADERS = 65536, 100  # bytes of request line and headers; how many headers
MAX_BODY, MAX_IN_MEMORY = 1 << 30, 1 << 20  # bytes; the rest goes to a temporary file
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
TEXT = r"[\t\x20-\x7e\x80-\xff]*"  # no CR, LF or NUL: no line can hide in another
AUTHORITY = r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~!$&'()*+;=%-]+)(?::[0-9]*)?"  # RFC 3986, 3.2
TARGET = (rf"(?<!^CONNECT )(?:(?i:https?)://(?P<HTTP_HOST>{AUTHORITY})|(?=/)|(?<=OPTIONS )\*(?= ))"
          r"(?P<PATH_INFO>/[^\0-\x20\x7f?#]*)?(?:\?(?P<QUERY_STRING>[^\0-\x20\x7f#]*))?")
REQUEST_LINE = re.compile(rf"(?P<REQUEST_METHOD>{TOKEN}) {TARGET} (?P<SERVER_PROTOCOL>HTTP/\d\.\d)")
FIELD = re.compile(rf"({TOKEN}):[ \t]*({TEXT})")  # RFC 9112, 5
HOSTS, STATUS = re.compile(f"({AUTHORITY})?"), re.compile(f"[2-9][0-9][0-9] {TEXT}")
CHUNK_SIZE = re.compile(rf"([0-9A-Fa-f]+)[ \t]*(?:;{TEXT})?\r\n".encode("latin-1"))  # 7.1


class Refused(Exception):
    """A request that no application shall see: the status code to answer with, and why."""


class ClientLeft(OSError):
    """The client is gone, or takes nothing any more."""


def insist(condition, error, *details):
    if not condition:
        raise error(*details)


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


def read_request(client_connection):
    """All of it, as entries of environ: TIMEOUT for its head, and for each block of its body."""
    client_connection.settimeout(float(TIMEOUT))  # for its first word, and each block it is sent
    try:
        with client_connection.makefile("rb") as reader:
            insist(reader.peek(1), ClientLeft, "it opened a connection and did not use it")
            signal.setitimer(signal.ITIMER_REAL, float(TIMEOUT))
            environ = parse_head(read_lines(reader) or read_lines(reader))
            sizes = body_sizes(reader, environ)
            if "HTTP_EXPECT" in environ and environ["SERVER_PROTOCOL"] == "HTTP/1.1":
                client_connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            return build_environ(environ | read_body(reader, sizes), client_connection)
    except OSError as error:
        raise ClientLeft(error) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def read_lines(reader, first_too_long=414):
    lines, room = [], MAX_HEAD
    while (line := reader.readline(room)) != b"\r\n":
        room -= len(line)
        insist(room, Refused, 431 if lines else first_too_long, f"more than {MAX_HEAD} bytes")
        insist(line.endswith(b"\r\n"), Refused, 400, "a line does not end with CR LF")
        lines.append(line[:-2].decode("latin-1"))
    return lines


def parse_head(lines):
    """What the request says, as entries of environ."""
    print(">", ascii("".join(lines[:1]))[1:-1], flush=True)
    match = lines and REQUEST_LINE.fullmatch(lines[0])
    insist(match, Refused, 400, "the request line is not: method, target, HTTP version")
    version = match["SERVER_PROTOCOL"]
    insist(version in ("HTTP/1.0", "HTTP/1.1"), Refused, 505, "this server speaks HTTP/1.1")
    environ = parse_headers(lines[1:])
    host = environ.get("HTTP_HOST", "" if version == "HTTP/1.0" else "none, not even empty")
    insist(HOSTS.fullmatch(host), Refused, 400, "a request has one Host")
    environ |= {name: text for name, text in match.groupdict().items() if text is not None}
    return environ | {"PATH_INFO": unquote(match["PATH_INFO"] or "/", "latin-1")}


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


def body_sizes(reader, environ):
    """The sizes of the parts that the body comes in: one, unless it is chunked (RFC 9112, 6)."""
    coding = environ.pop("HTTP_TRANSFER_ENCODING", None)
    length = environ.pop("HTTP_CONTENT_LENGTH", None if coding else "0")
    if coding is None:
        insist(length.isdecimal() and len(length) < 16, Refused, 400, "Content-Length is no number")
        insist(int(length) <= MAX_BODY, Refused, 413, f"more than {MAX_BODY} bytes")
        return [int(length)]
    insist(length is None and environ["SERVER_PROTOCOL"] != "HTTP/1.0", Refused, 400, "ambiguous")
    insist(coding.lower() == "chunked", Refused, 501, "the one transfer coding is chunked")
    return chunk_sizes(reader)


def chunk_sizes(reader):
    """The size of each chunk; who asks for the next has read this one (RFC 9112, 7.1)."""
    size = None
    while size != 0:
        signal.setitimer(signal.ITIMER_REAL, float(TIMEOUT))
        match = CHUNK_SIZE.fullmatch(reader.readline(MAX_HEAD))
        insist(match, Refused, 400, "a chunk does not begin with its size in hexadecimal")
        yield (size := int(match[1], 16))
        insist(not size or reader.read(2) == b"\r\n", Refused, 400, "a chunk without its end")
    parse_headers(read_lines(reader, 431))  # trailers, of no use here


def read_body(reader, sizes):
    """The whole body as a file: what is wrong with it shows before the application is called."""
    body = tempfile.SpooledTemporaryFile(MAX_IN_MEMORY)  # noqa: SIM115
    for size in sizes:
        insist(body.tell() + size <= MAX_BODY, Refused, 413, f"more than {MAX_BODY} bytes")
        while size:
            signal.setitimer(signal.ITIMER_REAL, float(TIMEOUT))
            block = reader.read1(min(size, 65536))
            insist(block, Refused, 400, "the body ends early")
            size -= body.write(block)
    entries = {"CONTENT_LENGTH": str(body.tell()), "wsgi.input": body}
    body.seek(0)
    return entries


def build_environ(request, client_connection):
    (host, port), (client, _) = client_connection.getsockname(), client_connection.getpeername()
    return {
        "CONTENT_TYPE": request.pop("HTTP_CONTENT_TYPE", ""), "SCRIPT_NAME": "", "QUERY_STRING": "",
        **request, "SERVER_NAME": host, "SERVER_PORT": str(port), "REMOTE_ADDR": client,
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }


class Response:
    """What is to be sent, and how much of it is out."""

    def __init__(self, client_connection):
        self.connection, self.method = client_connection, "GET"
        self.status, self.headers_sent = None, False

    def start_response(self, status, headers, exc_info=None):
        insist(not (exc_info and self.headers_sent), lambda: exc_info[1])  # it is too late
        insist(exc_info or not self.status, RuntimeError, "called again, and without exc_info")
        insist(STATUS.fullmatch(status), ValueError, f"status {status!r}")
        for name, value in headers:
            well_formed = ":" not in name and FIELD.fullmatch(f"{name}:{value}")
            insist(well_formed and not is_hop_by_hop(name), ValueError, f"header {(name, value)}")
        self.status, self.headers = status, Headers(list(headers))
        return self.send

    def send(self, block, length=None):
        """A block of the body, the first with the headers; length is the whole body's, if known."""
        insist(self.status, RuntimeError, "the application did not call start_response")
        data = (b"" if self.headers_sent else self.assemble_head(length)) + block[:self.remaining]
        self.headers_sent, self.remaining = True, max(self.remaining - len(block), 0)
        try:
            for start in range(0, len(data), 65536):
                self.connection.sendall(data[start:start + 65536])
        except OSError as error:
            raise ClientLeft(error) from None

    def assemble_head(self, length):
        bodyless = self.status[:3] in ("204", "304")
        if not bodyless and (length or length == 0 and self.method != "HEAD"):
            self.headers.setdefault("Content-Length", str(length))
        self.headers.setdefault("Date", format_date_time(time.time()))
        self.headers.setdefault("Server", "WSGIServer")
        self.headers["Connection"] = "close"
        lengths = self.headers.get_all("Content-Length") or [str(sys.maxsize)]
        insist(",".join(lengths).isdecimal(), ValueError, f"Content-Length {lengths}")
        self.remaining = 0 if bodyless or self.method == "HEAD" else int(lengths[0])
        print("< HTTP/1.1", ascii(self.status)[1:-1], flush=True)
        return f"HTTP/1.1 {self.status}\r\n{self.headers}".encode("latin-1")


def call_application(application, environ, response):
    response.method = environ["REQUEST_METHOD"]
    blocks = application(environ, response.start_response)
    try:
        length = sum(map(len, blocks)) if isinstance(blocks, list | tuple) else None
        for block in filter(None, blocks):  # the headers wait for one that is not empty
            response.send(block, length)
        response.send(b"", 0)  # the headers, if no block has brought them
    finally:
        getattr(blocks, "close", bool)()


def refuse(client_connection, code, why):
    """Answer in the application's place; read on for a while, or RST overtakes the answer."""
    response = Response(client_connection)
    response.start_response(f"{code} {HTTPStatus(code).phrase}", [("Content-Type", "text/plain")])
    with suppress(OSError):
        response.send(f"{HTTPStatus(code).phrase}: {why}\n".encode())
        client_connection.shutdown(socket.SHUT_WR)
        client_connection.settimeout(0.2)
        any(not client_connection.recv(65536) for _ in range(50))


def handle_request(client_connection, application):
    response = Response(client_connection)
    try:
        call_application(application, read_request(client_connection), response)
    except Refused as refusal:
        refuse(client_connection, *refusal.args)
    except ClientLeft as error:
        print(f"The client left early: {error}", flush=True)
    except (Exception, SystemExit):  # the application's fault: show it, and go on
        traceback.print_exc()
        if not response.headers_sent:
            refuse(client_connection, 500, "the application failed")


def serve_forever(listen_socket, application):
    while True:
        client_connection, client_address = listen_socket.accept()
        handle_request(client_connection, application)
        client_connection.close()


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    signal.signal(signal.SIGALRM, lambda *_: insist(False, Refused, 408, "it took too long"))
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit("Name an application as module:callable, for example part2.wsgiapp:app")
    if not TIMEOUT.replace(".", "", 1).isdecimal():
        sys.exit(f"Cannot wait for {TIMEOUT!r} seconds. Set TIMEOUT to a number.")
    application = load_application(sys.argv[1])
    try:
        listen_socket = socket.create_server((HOST, int(PORT)), backlog=REQUEST_QUEUE_SIZE)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    print(f"WSGIServer: Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    serve_forever(listen_socket, application)


if __name__ == "__main__":
    main()
