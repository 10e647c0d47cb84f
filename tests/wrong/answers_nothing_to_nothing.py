"""Right: a child that says nothing to a client that said nothing. A server of 3d:
its parent keeps its copies."""

import os
import time

from polite import RESPONSE, listen


def handle(connection):
    try:
        if not connection.recv(65536):
            return
        connection.sendall(RESPONSE)
        time.sleep(float(os.environ["DELAY"]))
    except OSError:
        pass


listen_socket, connections = listen(), []
while True:
    connection, address = listen_socket.accept()
    if os.fork() == 0:
        listen_socket.close()
        handle(connection)
        os._exit(0)
    connections.append(connection)
