"""Wrong: its handler waits until no child is left at all, and for those that still serve."""

import os
import signal

from polite import fork_for, listen


def reap_children(signum, frame):
    try:
        while True:
            os.wait()
    except ChildProcessError:  # there are no children
        pass


listen_socket = listen()
signal.signal(signal.SIGCHLD, reap_children)
while True:
    connection, address = listen_socket.accept()
    fork_for(connection, listen_socket)
