"""Wrong: a thread asks once a second whether a child has ended."""

import threading
import time

from polite import fork_for, listen, reap_all


def reap_for_ever():
    while True:
        reap_all()
        time.sleep(1)


listen_socket = listen()
threading.Thread(target=reap_for_ever, daemon=True).start()
while True:
    connection, address = listen_socket.accept()
    fork_for(connection, listen_socket)
