"""Wrong: the kernel buries its children. There is no zombie, and no status either."""

import signal

from polite import fork_for, listen

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    fork_for(connection, listen_socket)
