"""Wrong: it has to wait for a minute until it can be started again."""

import os
import signal
import socket
import sys

from polite import answer

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
listen_socket = socket.socket()
try:
    listen_socket.bind((os.environ["HOST"], int(os.environ["PORT"])))
except OSError as error:
    sys.exit(f"Cannot serve: {error}")
listen_socket.listen(5)
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
