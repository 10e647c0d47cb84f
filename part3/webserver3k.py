"""One process, one thread, and an event loop: no client holds up another.

Builds on webserver3a.py. The idea: never wait for one socket. The selector waits for all of them
at once, and names those where there is something to do; what is done there never blocks.

Try it:
    python part3/webserver3k.py
    telnet localhost 8888                      (connected; now be silent)
    curl -v http://localhost:8888/hello        (third terminal: served all the same)

On purpose:
    What takes long, takes long for everybody: there is one thread, and it cannot sleep.
    An open connection costs a descriptor. Where no more are to be had, accept fails and the server
    dies of it.
    A request is what one recv brings, and an answer what the kernel has room for.
    webserver3l.py begins to mend that: a server to use, step by step.
"""

import os
import selectors
import signal
import socket
import sys

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1024
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"
selector = selectors.DefaultSelector()  # epoll on Linux, kqueue on macOS


def listen():
    listen_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # can restart at once
    listen_socket.bind((HOST, int(PORT)))
    listen_socket.listen(REQUEST_QUEUE_SIZE)
    return listen_socket


def handle_request(client_connection):
    try:
        request = client_connection.recv(65536)
        print(request.decode("ascii", "backslashreplace"), flush=True)
        client_connection.sendall(RESPONSE)
    except OSError as error:
        print(f"The client left early: {error}", flush=True)


def serve_forever(listen_socket):
    listen_socket.setblocking(False)
    selector.register(listen_socket, selectors.EVENT_READ, accept)
    while True:
        for key, _ in selector.select():  # sleeps until one socket is ready, or several
            key.data(key.fileobj)


def accept(listen_socket):
    try:
        client_connection, client_address = listen_socket.accept()
    except BlockingIOError:  # the client is gone again
        return
    client_connection.setblocking(False)
    selector.register(client_connection, selectors.EVENT_READ, serve)


def serve(client_connection):
    selector.unregister(client_connection)
    handle_request(client_connection)  # the request is here, and the kernel has room for RESPONSE
    client_connection.close()  # no length was sent: the body ends where the connection does


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    try:
        listen_socket = listen()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    serve_forever(listen_socket)


if __name__ == "__main__":
    main()
