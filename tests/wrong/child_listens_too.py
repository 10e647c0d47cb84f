"""Wrong: the child keeps its copy of the listening socket, and with it the port."""

import os
import signal

from polite import listen, reap_all, serve

listen_socket = listen()
signal.signal(signal.SIGCHLD, reap_all)
while True:
    connection, address = listen_socket.accept()
    if os.fork() == 0:
        serve(connection)
        os._exit(0)
    connection.close()
