"""The concurrent WSGI server: a process for each request, any framework in it.

Builds on part2/webserver2.py and webserver3g.py. The idea: they fit together as they are.
What stood at the heart of the one, fork and reap, now stands around the other's handle_request.
New is that it loses nobody: told to stop, it lets nobody in and waits for those in flight;
where there is no process for a client, the client waits.

Try it:
    python part3/webserver3h.py part2.djangoapp:app    (or flaskapp, pyramidapp, wsgiapp)
    curl -v http://localhost:8888/hello                (in a second terminal)
    telnet localhost 8888                              (be silent; Ctrl-C in the first terminal
                                                       gives you 3 s, pressed twice it does not)

On purpose:
    It leaves out of PEP 3333 what webserver2.py does. part2/webserver2b.py begins to mend that.
    A client costs a process. webserver3k.py has one process for all.
    A signal that comes in the instant before accept falls asleep waits there for a client, too:
    a child is reaped late then, and Ctrl-C wants to be pressed again.
"""

import importlib
import io
import os
import signal
import socket
import sys
import time
import traceback

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1024
GRACE = 3  # seconds that those in flight have, when it stops
MAX_HEAD = 65536  # bytes of request line and headers; more is refused
TEXT = [("Content-Type", "text/plain")]
DATE = "Thu, 01 Jan 1970 00:00:00 GMT"  # a date, but not a true one
SERVER_HEADERS = [("Date", DATE), ("Server", "WSGIServer"), ("Connection", "close")]
children = set()  # PIDs, so that none outlives the server
stops = []  # when it was told to stop: twice is at once


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
        "wsgi.multiprocess": True,
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
    while listen_socket.fileno() != -1:  # stop closes it
        try:
            client_connection, client_address = listen_socket.accept()
        except OSError:  # stop was here; or there is no descriptor, and the clients queue
            time.sleep(0.05)
            continue
        while not start_child(listen_socket, client_connection, application) and not must_end():
            time.sleep(0.05)  # there is no process: the client waits
        client_connection.close()  # the parent's copy: FIN goes out when the last copy closes


def start_child(listen_socket, client_connection, application):
    """Whether there is a child now that serves the client."""
    try:
        pid = os.fork()  # called once, returns twice
    except OSError:
        return False
    if pid == 0:  # in the child
        listen_socket.close()  # only the parent accepts
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # the application waits for its own
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches it too, but it has a client
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        handle_request(client_connection, application)
        sys.stdout.flush()  # what the application printed
        os._exit(0)  # closes the child's copy of the connection
    children.add(pid)
    return True


def reap_children(signum, frame):  # runs at any moment: print is not safe here
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:  # there are no children
            return
        if pid == 0:  # there are, but none of them has ended
            return
        children.discard(pid)
        os.write(1, b"Reaped child %d, status %d\n" % (pid, os.waitstatus_to_exitcode(status)))


def stop_on_signals(listen_socket):
    def stop(signum, frame):
        stops.append(time.monotonic())
        listen_socket.close()  # accept fails at once

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def must_end():
    """Whether those in flight have had their time, or somebody has no patience."""
    if not stops:
        return False
    return len(stops) > 1 or time.monotonic() > stops[0] + GRACE


def wait_for_children():
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # from here on only this function reaps
    at_work = [pid for pid in children if is_at_work(pid)]
    while at_work and not must_end():
        time.sleep(0.05)
        at_work = [pid for pid in at_work if is_at_work(pid)]
    for pid in at_work:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def is_at_work(pid):
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # it was reaped before
        return False


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit("Name an application as module:callable, for example part2.wsgiapp:app")
    application = load_application(sys.argv[1])
    try:
        listen_socket = listen()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    signal.signal(signal.SIGCHLD, reap_children)
    print(f"WSGIServer: Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    stop_on_signals(listen_socket)
    serve_forever(listen_socket, application)
    wait_for_children()


if __name__ == "__main__":
    main()
