"""Wrong: 32 threads that are there from the start, and accept one client after another."""

import threading

from polite import listen, serve


def serve_for_ever():
    while True:
        connection, address = listen_socket.accept()
        serve(connection)


listen_socket = listen()
for _ in range(32):
    threading.Thread(target=serve_for_ever).start()
