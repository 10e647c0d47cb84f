"""One server for any framework: it speaks WSGI (PEP 3333), and so do they.

Its sockets are those of part1/webserver1.py. The idea: the server makes a dictionary of the
request, environ, calls the application with it, and makes a response of what comes back.
Seven steps: load the application; read, parse, build environ, call, assemble, send.

Try it:
    python part2/webserver2.py part2.flaskapp:app      (or pyramidapp, djangoapp, wsgiapp)
    curl -v http://localhost:8888/hello                (in a second terminal)

On purpose:
    It leaves out of PEP 3333 the QUERY_STRING (a query stays in PATH_INFO), HTTP_* headers,
    request bodies, write(), exc_info, close() of the iterable, and a true Date.
    A HEAD request gets a body. Nothing is sent before the whole response is there.
    webserver2b.py begins to mend all that.
    It serves one client at a time, as before. part3/webserver3h.py mends that.
"""

import importlib
import io
import os
import signal
import socket
import sys
import traceback

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1
MAX_HEAD = 65536  # bytes of request line and headers; more is refused
TEXT = [("Content-Type", "text/plain")]
DATE = "Thu, 01 Jan 1970 00:00:00 GMT"  # a date, but not a true one
SERVER_HEADERS = [("Date", DATE), ("Server", "WSGIServer"), ("Connection", "close")]


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


def read_request(client_connection):
    """The bytes up to the empty line, or as many as the client sent before it left."""
    request = b""
    while b"\r\n\r\n" not in request and len(request) <= MAX_HEAD:
        if not (block := client_connection.recv(65536)):
            break
        request += block
    return request


def parse_request(request):
    """Method, path and version; ValueError if this is no HTTP request."""
    head, empty_line, _ = request.partition(b"\r\n\r\n")
    if not empty_line or len(head) > MAX_HEAD:
        raise ValueError(f"no empty line in the first {MAX_HEAD} bytes")
    request_line, *header_lines = head.decode("latin-1").split("\r\n")
    words = request_line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise ValueError("the request line is not: method, path, HTTP version")
    if not all(":" in line for line in header_lines):
        raise ValueError("a header without a colon")
    return words


def build_environ(method, path, version, server_address):
    return {
        "REQUEST_METHOD": method,  # out of the request
        "PATH_INFO": path,
        "SERVER_PROTOCOL": version,
        "SCRIPT_NAME": "",  # from the server
        "SERVER_NAME": server_address[0],
        "SERVER_PORT": str(server_address[1]),
        "wsgi.version": (1, 0),  # from WSGI itself
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def call_application(application, environ):
    """Status, headers and body, as the application gives them."""
    response = []

    def start_response(status, response_headers, exc_info=None):
        response[:] = status, response_headers

    body = b"".join(application(environ, start_response))
    if not response:
        raise RuntimeError("the application did not call start_response")
    return *response, body


def assemble_response(status, headers, body):
    fields = "".join(f"{name}: {value}\r\n" for name, value in [*headers, *SERVER_HEADERS])
    return f"HTTP/1.1 {status}\r\n{fields}\r\n".encode("latin-1") + body


def respond(request, application, server_address):
    try:
        environ = build_environ(*parse_request(request), server_address)
    except ValueError as error:
        return assemble_response("400 Bad Request", TEXT, f"Bad request: {error}\n".encode())
    try:
        return assemble_response(*call_application(application, environ))
    except BaseException:  # the application's fault, whatever it is: show it, and go on
        traceback.print_exc()
        return assemble_response("500 Internal Server Error", TEXT, b"Internal server error\n")


def show(mark, message):
    """Print the head of a request or response as curl -v does, without control characters."""
    head = message.partition(b"\r\n\r\n")[0].decode("latin-1")
    for line in [*head.split("\r\n"), ""]:
        print(mark, ascii(line)[1:-1], flush=True)


def handle_request(client_connection, application):
    try:
        request = read_request(client_connection)
        if not request:  # a browser opens connections in advance, and may close one unused
            return
        show(">", request)
        response = respond(request, application, client_connection.getsockname())
        show("<", response)
        client_connection.sendall(response)
    except OSError as error:
        print(f"The client left early: {error}", flush=True)


def serve_forever(listen_socket, application):
    while True:
        client_connection, client_address = listen_socket.accept()
        handle_request(client_connection, application)
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
