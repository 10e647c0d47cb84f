"""The iterative server, asleep: whoever comes next sees that there is only one of it.

Builds on webserver3a.py. The idea: it sleeps for DELAY seconds after each answer.

Try it:
    python part3/webserver3b.py                (DELAY=10 python ... sleeps for 10 s)
    curl http://localhost:8888/hello           (the body at once, the prompt after the sleep)
    curl -v http://localhost:8888/hello        (third terminal, at once: connected, not answered)

On purpose:
    One client at a time: the second gets its first byte when the first one's sleep is over.
    webserver3c.py mends that.
"""

import os
import signal
import socket
import sys
import time

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 5
DELAY = os.environ.get("DELAY") or "60"  # seconds
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
        time.sleep(float(DELAY))  # the answer is out, but the connection is open
    except OSError as error:
        print(f"The client left early: {error}", flush=True)


def serve_forever(listen_socket):
    while True:
        client_connection, client_address = listen_socket.accept()
        handle_request(client_connection)
        client_connection.close()  # no length was sent: the body ends where the connection does


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    if not DELAY.replace(".", "", 1).isdecimal():
        sys.exit(f"Cannot sleep for {DELAY!r} seconds. Set DELAY to a number.")
    try:
        listen_socket = listen()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    serve_forever(listen_socket)


if __name__ == "__main__":
    main()
