"""Wrong: its handler waits for every child, those that still serve somebody too."""

import os
import signal
import time

from polite import answer, listen


def reap_children(signum, frame):
    while True:
        try:
            os.wait()
        except ChildProcessError:  # there are no children
            return


listen_socket = listen()
signal.signal(signal.SIGCHLD, reap_children)
while True:
    connection, address = listen_socket.accept()
    if os.fork() == 0:
        listen_socket.close()
        answer(connection)
        time.sleep(float(os.environ["DELAY"]))
        os._exit(0)
    connection.close()
