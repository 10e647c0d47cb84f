"""Wrong: it can sleep for whole seconds only."""

import os
import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    time.sleep(int(os.environ["DELAY"]))
    connection.close()
