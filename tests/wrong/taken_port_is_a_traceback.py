"""Wrong: that its port is taken is worth a traceback to it."""

import os
import signal
import socket

from polite import answer

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
listen_socket = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
