"""Wrong: it sleeps first, and then it answers."""

import os
import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    time.sleep(float(os.environ["DELAY"]))
    answer(connection)
    connection.close()
