"""Wrong: each worker asks for the port, and one gets it; the others start over and over."""

import os
import signal
import time

from polite import answer, listen


def work():
    try:
        listen_socket = listen()
    except SystemExit as error:
        os.write(2, f"{error}\n".encode())
        os._exit(1)
    while True:
        connection, address = listen_socket.accept()
        answer(connection)
        connection.close()


signal.signal(signal.SIGINT, signal.SIG_DFL)
for _ in range(4):
    if os.fork() == 0:
        work()
while True:
    os.wait()
    time.sleep(0.1)
    if os.fork() == 0:
        work()
