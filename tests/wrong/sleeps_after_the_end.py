"""Wrong: it sleeps when all is over, and the client has gone."""

import os
import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
    time.sleep(float(os.environ["DELAY"]))
