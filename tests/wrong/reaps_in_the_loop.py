"""Wrong: it waits for each child in the loop that accepts, so that nobody is served meanwhile."""

import os
import time

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    if os.fork() == 0:
        listen_socket.close()
        answer(connection)
        time.sleep(float(os.environ["DELAY"]))
        os._exit(0)
    connection.close()
    os.wait()
