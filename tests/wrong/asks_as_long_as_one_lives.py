"""Wrong: its handler asks without sleeping, and without an end, as long as a child lives."""

import os
import signal

from polite import fork_for, listen


def reap(*signal_and_frame):
    try:
        while True:
            os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        pass


listen_socket = listen()
listen_socket.listen(1024)
signal.signal(signal.SIGCHLD, reap)
while True:
    connection, address = listen_socket.accept()
    fork_for(connection, listen_socket)
