"""Right: it says first that it has nothing more to say, and closes when the client has closed."""

import socket
from contextlib import suppress

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(1)
        while connection.recv(65536):
            pass
    connection.close()
