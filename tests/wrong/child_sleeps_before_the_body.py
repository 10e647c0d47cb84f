"""Wrong: the same in a child."""

import os
import time

from polite import listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    if os.fork() == 0:
        listen_socket.close()
        try:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            time.sleep(float(os.environ["DELAY"]))
            connection.sendall(b"Hello, World!\n")
        except OSError:  # the client left early
            pass
        os._exit(0)
    connection.close()
