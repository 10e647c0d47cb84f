"""The cloakroom gives each guest a long number of his own, for his coat. It has two workers.

    python notebooks/mysteries/cloakroom.py
    curl http://localhost:8888/
"""

import os
import random
import signal
import socket
import sys
from contextlib import suppress

PORT = int(os.environ.get("PORT") or "8888")
WORKERS = 2
numbers = random.Random(os.urandom(32))


def answer(connection):
    connection.settimeout(60)
    if not connection.recv(65536):
        return
    number = numbers.getrandbits(64)
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nYour number: %d\n" % number)


def work(listen_socket):
    while True:
        connection, _ = listen_socket.accept()
        with connection:
            try:
                answer(connection)
            except OSError as error:
                print(f"A guest left early: {error}", flush=True)


def start_worker(listen_socket):
    pid = os.fork()
    if pid == 0:
        work(listen_socket)
    return pid


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    workers = [start_worker(listen_socket) for _ in range(WORKERS)]
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(0))
    try:
        os.wait()
    finally:
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
