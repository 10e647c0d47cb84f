"""The archive makes a copy of its books when it opens, and tells visitors how that went.

BACKUP is the command that makes the copy.

    BACKUP="cp -r /books /copies" python notebooks/mysteries/archive.py
    curl http://localhost:8888/
"""

import os
import signal
import socket
import subprocess

PORT = int(os.environ.get("PORT") or "8888")
BACKUP = os.environ.get("BACKUP") or "true"


def reap_children(signum, frame):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def answer(connection, status):
    try:
        connection.settimeout(5)
        connection.recv(65536)
        how = {None: "is being made", 0: "is complete"}.get(status, f"has failed ({status})")
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nThe copy %s.\n" % how.encode())
    except OSError as error:
        print(f"A visitor left early: {error}", flush=True)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, reap_children)
    backup = subprocess.Popen(BACKUP, shell=True)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        connection, _ = listen_socket.accept()
        status = backup.poll()
        if os.fork() == 0:
            listen_socket.close()
            answer(connection, status)
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    main()
