"""Wrong: it sleeps for as long as it likes, whatever DELAY says."""

import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    time.sleep(3)
    connection.close()
