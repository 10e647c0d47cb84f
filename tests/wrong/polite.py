"""What the wrong servers of this folder do right, so that each has one fault."""

import os
import signal
import socket
import sys
import time

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


def serve(connection):
    """What a child, a thread or a worker does for a client: it sleeps after the answer."""
    answer(connection)
    time.sleep(float(os.environ.get("DELAY") or 0))
    connection.close()


def fork_for(connection, listen_socket):
    """A child for a client; its PID. The parent has given its copy of the connection back."""
    pid = os.fork()
    if pid == 0:
        listen_socket.close()
        serve(connection)
        os._exit(0)
    connection.close()
    return pid


def reap_all(*signal_and_frame):
    """A handler of SIGCHLD, or what waits for all who have ended so far."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:  # there are no children
        pass
