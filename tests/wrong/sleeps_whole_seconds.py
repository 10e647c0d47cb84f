"""Wrong: of DELAY it takes the whole seconds, as C's atoi does."""

import os
import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    time.sleep(int(float(os.environ.get("DELAY") or 3)))
    connection.close()
