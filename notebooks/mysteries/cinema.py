"""The cinema sells tickets, and reports when it closes how many it has sold.

    python notebooks/mysteries/cinema.py
    curl http://localhost:8888/ticket
    kill PID
"""

import atexit
import os
import signal
import socket
import sys

PORT = int(os.environ.get("PORT") or "8888")
sold = 0


def report():
    print(f"Report: tickets sold: {sold}", flush=True)


def close_down(signum, frame):
    sys.exit(0)


def sell(connection, number):
    try:
        connection.settimeout(5)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nTicket number %d\n" % number)
    except OSError as error:
        print(f"Somebody left without a ticket: {error}", flush=True)


def main():
    global sold
    signal.signal(signal.SIGTERM, close_down)
    signal.signal(signal.SIGINT, close_down)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    atexit.register(report)
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        connection, _ = listen_socket.accept()
        sold += 1
        pid = os.fork()
        if pid == 0:
            listen_socket.close()
            sell(connection, sold)
            sys.exit(0)
        connection.close()
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
