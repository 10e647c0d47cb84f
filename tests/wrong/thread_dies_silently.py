"""Wrong: the thread that serves dies of a client that says nothing, and nobody notices."""

import signal
import threading

from polite import listen


def serve_forever():
    while True:
        connection, address = listen_socket.accept()
        method, path, version = connection.recv(65536).split(b"\r\n")[0].split()
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
        connection.close()


threading.excepthook = lambda arguments: None
listen_socket = listen()
threading.Thread(target=serve_forever).start()
signal.pause()
