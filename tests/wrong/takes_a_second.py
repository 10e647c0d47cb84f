"""Right, and slow: it takes a second to answer."""

import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    time.sleep(1)
    answer(connection)
    connection.close()
