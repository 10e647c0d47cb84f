"""The harbour tells ships how deep the water is, and notes it in the log every hour.

    python notebooks/mysteries/harbour.py
    curl http://localhost:8888/
"""

import math
import os
import signal
import socket
import time
from contextlib import suppress

PORT = int(os.environ.get("PORT") or "8888")
TIDE = 12.4 * 3600  # seconds from one high water to the next


def depth():
    return f"{6 + 2 * math.cos(2 * math.pi * time.time() / TIDE):.1f} metres\n"


def keep_log():
    harbour = os.getppid()
    while os.getppid() == harbour:
        print(time.ctime(), depth(), end="", flush=True)
        time.sleep(3600)
    os._exit(0)


def answer(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + depth().encode())


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    if os.fork() == 0:
        keep_log()
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        connection, _ = listen_socket.accept()
        with connection, suppress(OSError):
            connection.settimeout(5)
            answer(connection)


if __name__ == "__main__":
    main()
