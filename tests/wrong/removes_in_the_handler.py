"""Wrong: a child may have ended, and the handler have run, before its parent has noted its PID."""

import os
import signal

from polite import fork_for, listen

children = []


def reap_children(signum, frame):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        children.remove(pid)


listen_socket = listen()
signal.signal(signal.SIGCHLD, reap_children)
while True:
    connection, address = listen_socket.accept()
    pid = fork_for(connection, listen_socket)
    children.append(pid)
