"""Wrong: workers that bind the port each by itself, and whoever else may bind it as well."""

import os
import signal
import socket

from polite import answer


def work():
    with socket.socket() as listen_socket:
        listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listen_socket.bind((os.environ["HOST"], int(os.environ["PORT"])))
        listen_socket.listen()
        while True:
            connection, address = listen_socket.accept()
            answer(connection)
            connection.close()


workers = []
signal.signal(signal.SIGTERM, lambda *_: [os.kill(worker, signal.SIGKILL) for worker in workers])
signal.signal(signal.SIGINT, signal.SIG_DFL)
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
    workers.append(pid)
for worker in workers:
    os.waitpid(worker, 0)
