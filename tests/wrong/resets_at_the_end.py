"""Wrong: its connections end with a reset, which may take away what was not read yet."""

import socket
import struct

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answer(connection)
    connection.close()
