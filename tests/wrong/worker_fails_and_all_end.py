"""Wrong: each worker asks for the port, and where one cannot have it, all end."""

import os
import signal
import sys

from polite import answer, listen

workers = []
for _ in range(4):
    workers.append(os.fork())
    if workers[-1] == 0:
        listen_socket = listen()
        while True:
            connection, address = listen_socket.accept()
            answer(connection)
            connection.close()
os.wait()
for worker in workers[1:]:
    os.kill(worker, signal.SIGKILL)
sys.exit("A worker has ended.")
