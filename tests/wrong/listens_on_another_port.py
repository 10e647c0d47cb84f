"""Wrong: it does not look at PORT."""

import os

from polite import answer, listen

os.environ["PORT"] = "0"  # any port
listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
