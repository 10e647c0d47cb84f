"""Wrong: the first worker that dies is replaced, and no other."""

import os
import signal
import sys

from polite import listen, serve

workers = []


def start_worker():
    pid = os.fork()
    if pid:
        workers.append(pid)
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        connection, address = listen_socket.accept()
        serve(connection)


def stop(signum, frame):
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    sys.exit()


listen_socket = listen()
for _ in range(4):
    start_worker()
signal.signal(signal.SIGTERM, stop)
pid, status = os.wait()
workers.remove(pid)
start_worker()
while True:
    workers.remove(os.wait()[0])
