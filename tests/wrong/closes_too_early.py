"""Wrong: it closes the connection as a parent does after fork, but a thread has no copy of it."""

import threading
import time

from polite import answer, listen


def serve(connection):
    time.sleep(0.2)  # something slow
    answer(connection)


listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    threading.Thread(target=serve, args=(connection,)).start()
    connection.close()
