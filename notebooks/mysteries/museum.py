"""The museum lets visitors look at a picture for as long as they like. SIGTERM closes it:
all are sent home, and the last to leave is the museum.

    python notebooks/mysteries/museum.py
    curl http://localhost:8888/
    kill PID
"""

import os
import signal
import socket

PORT = int(os.environ.get("PORT") or "8888")
NOTED = {signal.SIGTERM, signal.SIGCHLD}  # what may not come between a fork and its note
visitors = set()


def reap_children(signum, frame):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        visitors.discard(pid)


def close_down(signum, frame):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for pid in visitors:
        os.kill(pid, signal.SIGTERM)
    for pid in visitors:
        os.waitpid(pid, 0)
    os._exit(0)


def show(connection):
    try:
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n (^_^) \n")
    except OSError as error:
        print(f"A visitor has gone: {error}", flush=True)


def admit(listen_socket, connection):
    signal.pthread_sigmask(signal.SIG_BLOCK, NOTED)
    pid = os.fork()
    if pid == 0:
        listen_socket.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        show(connection)
        os._exit(0)
    visitors.add(pid)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, NOTED)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, reap_children)
    signal.signal(signal.SIGTERM, close_down)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        connection, _ = listen_socket.accept()
        admit(listen_socket, connection)
        connection.close()


if __name__ == "__main__":
    main()
