"""A web server is a program that waits on a socket, reads a request, writes a response.

Try it:
    python part1/webserver1.py
    curl -v http://localhost:8888/hello        (in a second terminal; then try a browser)

On purpose:
    It never looks at what it is asked: nonsense gets "Hello, World!" too.
    It serves one client at a time: while that one is silent, all others wait. (A browser may
    open a spare connection and be silent on it: curl waits until the browser lets go.)
    part2/webserver2.py mends the first, part3/webserver3c.py the second.
"""

import os
import signal
import socket
import sys

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"


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
    while True:
        client_connection, client_address = listen_socket.accept()
        handle_request(client_connection)
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
