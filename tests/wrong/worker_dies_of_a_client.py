"""Wrong: who leaves without a word costs a worker its life. It is replaced, and nobody notices."""

import os
import signal
import time

from polite import listen

workers = set()


def start_worker():
    pid = os.fork()
    if pid:
        workers.add(pid)
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        connection, address = listen_socket.accept()
        try:
            method, path, version = connection.recv(65536).split(b"\r\n")[0].split()
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
        except (OSError, ValueError):
            os._exit(1)
        time.sleep(float(os.environ["DELAY"]))
        connection.close()


def stop(signum, frame):
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


listen_socket = listen()
for _ in range(4):
    start_worker()
signal.signal(signal.SIGTERM, stop)
while True:
    workers.discard(os.wait()[0])
    start_worker()
