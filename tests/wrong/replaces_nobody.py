"""Wrong: when one of its workers is killed, there is one less from then on."""

import os
import signal
import time

from polite import answer, listen


def work():
    while True:
        connection, address = listen_socket.accept()
        answer(connection)
        time.sleep(float(os.environ["DELAY"]))
        connection.close()


def stop(signum, frame):
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    os._exit(0)


listen_socket = listen()
workers = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        work()
    workers.append(pid)
signal.signal(signal.SIGTERM, stop)
while True:
    os.wait()
