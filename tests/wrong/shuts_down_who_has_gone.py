"""Wrong: shutdown fails where the client has reset the connection, and nobody catches that."""

import socket
import sys

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        sys.exit(f"shutdown: {error}")
    connection.close()
