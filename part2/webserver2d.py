"""A response goes out while the application still makes it.

Builds on webserver2c.py. The idea: there is no whole response any more. A block of the body is
sent as soon as it is there, and the head goes with the first. So there is write() as well.

Try it:
    python part2/webserver2d.py part2.shows:app
    curl -N http://localhost:8888/count        (a line a second; webserver2c.py: all after five)
    curl -N http://localhost:8888/write        (it calls write(); webserver2c.py: 500)

On purpose:
    An application that fails when its head is out cannot take that back, and is not told so. If it
    fails with an OSError, the server blames the client.
    Of PEP 3333 exc_info and close() of the iterable are left out still: see webserver2e.py.
    A HEAD request gets a body, and the Date is not true.
    A refusal may be lost: unread data turn the end of the connection into a reset. See
    webserver2i.py.
    It serves one client at a time, as before.
"""

import importlib
import io
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import unquote

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1
MAX_HEAD = 65536  # bytes of request line and headers; more is refused
MAX_BODY = 1 << 20  # bytes
TEXT = [("Content-Type", "text/plain")]
DATE = "Thu, 01 Jan 1970 00:00:00 GMT"  # a date, but not a true one
SERVER_HEADERS = [("Date", DATE), ("Server", "WSGIServer"), ("Connection", "close")]


class Refused(Exception):
    """A request that no application shall see: the status code to answer with, and why."""

    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


class Connection:
    """One client, and what has come from it that nobody has taken yet."""

    def __init__(self, client_connection, client_address):
        self.socket = client_connection
        self.client_address = client_address
        self.buffer = b""
        self.asking = False  # whether a request has begun

    def receive(self):
        """One more block in the buffer."""
        block = self.socket.recv(65536)
        if not block and not self.asking:  # a browser opens connections in advance
            raise ConnectionError("it asked for nothing")
        if not block:
            raise Refused(400, "the request ends early")
        self.asking = True
        self.buffer += block

    def read_until(self, mark):
        """The bytes before the mark; the mark goes, too."""
        while mark not in self.buffer:
            if len(self.buffer) >= MAX_HEAD:
                raise Refused(431, f"more than {MAX_HEAD} bytes")
            self.receive()
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def read(self, size):
        """So many bytes."""
        while len(self.buffer) < size:
            self.receive()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found


def listen():
    listen_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # can restart at once
    listen_socket.bind((HOST, int(PORT)))
    listen_socket.listen(REQUEST_QUEUE_SIZE)
    return listen_socket


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
    head = connection.read_until(b"\r\n\r\n")
    show(">", head)
    request = parse_head(head)
    body = connection.read(body_length(request))
    return build_environ(request, body, connection)


def parse_head(head):
    """What the client says, by its names in environ."""
    request_line, *header_lines = head.decode("latin-1").split("\r\n")
    words = request_line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise Refused(400, "the request line is not: method, path, HTTP version")
    method, target, version = words
    path, _, query = target.partition("?")
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(path, "latin-1"),  # bytes, written as characters: PEP 3333
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": version,
        **parse_headers(header_lines),
    }


def parse_headers(lines):
    """The headers by their names in environ; what comes more than once is joined."""
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise Refused(400, "a header without a colon")
        key = "HTTP_" + name.upper().replace("-", "_")
        value = value.strip(" \t")
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return headers


def body_length(request):
    """In bytes."""
    length = request.pop("HTTP_CONTENT_LENGTH", "0")
    if not length.isdecimal() or len(length) > 15:
        raise Refused(400, "Content-Length is no number")
    if int(length) > MAX_BODY:
        raise Refused(413, f"more than {MAX_BODY} bytes")
    return int(length)


def build_environ(request, body, connection):
    server_name, server_port = connection.socket.getsockname()
    return {
        "CONTENT_TYPE": request.pop("HTTP_CONTENT_TYPE", ""),  # the two that have no HTTP_
        "CONTENT_LENGTH": str(len(body)),
        **request,
        "SCRIPT_NAME": "",  # from the server
        "SERVER_NAME": server_name,
        "SERVER_PORT": str(server_port),
        "REMOTE_ADDR": connection.client_address[0],
        "wsgi.version": (1, 0),  # from WSGI itself
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


class Response:
    """What the application answers, and whether it is on its way."""

    def __init__(self, connection):
        self.connection = connection
        self.status = None  # until start_response is called
        self.headers_sent = False

    def start_response(self, status, headers, exc_info=None):
        self.status, self.headers = status, headers
        return self.write

    def write(self, block):
        if block:  # the head waits for the first that is not empty
            self.connection.socket.sendall(self.frame(block))

    def frame(self, block):
        """A block as it goes out: the first has the head before it."""
        if not self.status:
            raise RuntimeError("the application did not call start_response")
        data = block if self.headers_sent else self.assemble_head() + block
        self.headers_sent = True
        return data

    def assemble_head(self):
        headers = [*self.headers, *SERVER_HEADERS]
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = f"HTTP/1.1 {self.status}\r\n{fields}\r\n".encode("latin-1")
        show("<", head)
        return head


def call_application(application, environ, response):
    """Send what it gives, as it comes."""
    connection = response.connection
    blocks = application(environ, response.start_response)
    for block in blocks:
        response.write(block)
    if not response.headers_sent:
        connection.socket.sendall(response.frame(b""))


def refuse(connection, code, why):
    """Answer in the application's place."""
    phrase = HTTPStatus(code).phrase
    response = Response(connection)
    response.start_response(f"{code} {phrase}", TEXT)
    with suppress(OSError):
        response.write(f"{phrase}: {why}\n".encode())


def show(mark, message):
    """Print the head of a request or response as curl -v does, without control characters."""
    head = message.partition(b"\r\n\r\n")[0].decode("latin-1")
    for line in [*head.split("\r\n"), ""]:
        print(mark, ascii(line)[1:-1], flush=True)


def handle_request(connection, application):
    response = Response(connection)
    try:
        call_application(application, read_request(connection), response)
    except Refused as refusal:
        refuse(connection, refusal.code, refusal)
    except OSError as error:
        print(f"The client left early: {error}", flush=True)
    except BaseException:  # the application's fault, whatever it is: show it, and go on
        traceback.print_exc()
        if not response.headers_sent:
            refuse(connection, 500, "the application failed")


def serve_forever(listen_socket, application):
    while True:
        client_connection, client_address = listen_socket.accept()
        handle_request(Connection(client_connection, client_address), application)
        client_connection.close()


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit("Name an application as module:callable, for example part2.wsgiapp:app")
    application = load_application(sys.argv[1])
    try:
        listen_socket = listen()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    print(f"WSGIServer: Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    serve_forever(listen_socket, application)


if __name__ == "__main__":
    main()
