"""A thread for each connection, instead of a process.

Builds on webserver3c.py. The idea: all threads live in one process. They share its memory and its
descriptors: nothing is to be closed twice, nothing to be reaped, and nothing keeps them apart.

Try it:
    DELAY=10 python part3/webserver3i.py
    python part3/client3.py --max-clients 128 &
    ps -L -o pid,lwp,stat,comm -C python       (one process, an LWP for each thread)

On purpose:
    What ends one thread by a signal or by os._exit ends all of them: they are one process.
    A client costs a thread. Where no more are to be had, start fails and the server dies of it.
    webserver3k.py needs none.
"""

import os
import signal
import socket
import sys
import threading
import time

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1024
DELAY = os.environ.get("DELAY") or "3"  # seconds
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


def serve(client_connection):
    handle_request(client_connection)
    client_connection.close()  # the only copy: FIN goes out


def serve_forever(listen_socket):
    while True:
        client_connection, client_address = listen_socket.accept()
        threading.Thread(target=serve, args=[client_connection]).start()


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
