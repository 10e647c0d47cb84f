"""Wrong: the child does not end with its client, but goes back to accept."""

import os
import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    if os.fork() == 0:
        answer(connection)
        time.sleep(float(os.environ["DELAY"]))
    connection.close()
