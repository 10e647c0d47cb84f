"""What the wrong servers of this folder do right, so that each has one fault."""

import os
import signal
import socket
import sys

RESPONSE = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"


def listen(host=None):
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    try:
        return socket.create_server((host or os.environ["HOST"], int(os.environ["PORT"])))
    except OSError as error:
        sys.exit(f"Cannot serve: {error}")


def answer(connection, response=RESPONSE):
    try:
        connection.recv(65536)
        connection.sendall(response)
    except OSError:  # the client left early
        pass
