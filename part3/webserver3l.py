"""A connection is a generator: where it would have to wait, it says what for.

Builds on webserver3k.py. The idea: handle_request is written as if there were one client. At each
yield it stands still, with all that it knows in its variables; the loop lets it go on when the
socket is ready. So a request may come in pieces, and an answer go as slowly as its client reads.

Try it:
    python part3/webserver3l.py
    telnet localhost 8888                      (write line by line; the empty one is the end)
    TIMES=1000000 python part3/webserver3l.py          (Hello, World! a million times: 14 MB)
    curl --limit-rate 1M http://localhost:8888/ | wc -c        (12 s; meanwhile others are served)

    webserver3k.py answers telnet after the first line. Of a long answer it would send the first
    megabytes, and give up.

On purpose:
    It answers once, and hangs up. It does not look at what it is asked.
    An open connection costs a descriptor. Where no more are to be had, accept fails and the server
    dies of it. webserver3o.py waits.
"""

import os
import selectors
import signal
import socket
import sys

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1024
TIMES = os.environ.get("TIMES") or "1"
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\n"
HELLO = b"Hello, World!\n"
MAX_HEAD = 65536  # bytes of request line and headers; the rest is not waited for
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
selector = selectors.DefaultSelector()  # epoll on Linux, kqueue on macOS
conversations = {}  # the generator of each client connection


def listen():
    listen_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # can restart at once
    listen_socket.bind((HOST, int(PORT)))
    listen_socket.listen(REQUEST_QUEUE_SIZE)
    return listen_socket


def handle_request(client_connection):
    try:
        request = b""
        while b"\r\n\r\n" not in request and len(request) < MAX_HEAD:
            yield READ
            block = client_connection.recv(65536)
            if not block:  # no more is to come
                break
            request += block
        print(request.decode("ascii", "backslashreplace"), flush=True)
        response = memoryview(RESPONSE + HELLO * int(TIMES))  # a slice of it is no copy
        while response:
            yield WRITE
            sent = client_connection.send(response)  # as much as the kernel has room for
            response = response[sent:]
    except OSError as error:
        print(f"The client left early: {error}", flush=True)


def serve_forever(listen_socket):
    listen_socket.setblocking(False)
    selector.register(listen_socket, READ, accept)
    while True:
        for key, _ in selector.select():  # sleeps until one socket is ready, or several
            key.data(key.fileobj)


def accept(listen_socket):
    try:
        client_connection, client_address = listen_socket.accept()
    except BlockingIOError:  # the client is gone again
        return
    client_connection.setblocking(False)
    conversations[client_connection] = handle_request(client_connection)
    waits_for = next(conversations[client_connection])
    selector.register(client_connection, waits_for, advance)


def advance(client_connection):
    """Let it go on, until it has to wait again."""
    try:
        waits_for = next(conversations[client_connection])
        selector.modify(client_connection, waits_for, advance)
    except StopIteration:  # it has returned
        del conversations[client_connection]
        selector.unregister(client_connection)
        client_connection.close()  # no length was sent: the body ends where the connection does


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    if not TIMES.isdecimal():
        sys.exit(f"Cannot say it {TIMES!r} times. Set TIMES to a number.")
    try:
        listen_socket = listen()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    serve_forever(listen_socket)


if __name__ == "__main__":
    main()
