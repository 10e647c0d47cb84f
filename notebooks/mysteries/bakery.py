"""The bakery serves one customer at a time, and puts bread into the oven after every third.

    python notebooks/mysteries/bakery.py
    curl http://localhost:8888/bread
"""

import itertools
import os
import signal
import socket

PORT = int(os.environ.get("PORT") or "8888")


def in_a_child(work, *arguments):
    pid = os.fork()
    if pid == 0:
        try:
            work(*arguments)
        except OSError as error:
            print(f"It came to nothing: {error}", flush=True)
        os._exit(0)
    return pid


def serve(listen_socket, connection):
    listen_socket.close()
    connection.settimeout(5)
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHere is your bread.\n")


def bake():
    print("Bread is in the oven.", flush=True)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    for customer in itertools.count(1):
        connection, _ = listen_socket.accept()
        assistant = in_a_child(serve, listen_socket, connection)
        connection.close()
        if customer % 3 == 0:
            in_a_child(bake)
        os.waitpid(assistant, 0)


if __name__ == "__main__":
    main()
