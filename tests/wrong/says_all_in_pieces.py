"""Right: HTTP/1.0, a head of several lines, no newline at the end, and all of it byte by byte."""

import time

from polite import answer, listen

RESPONSE = b"HTTP/1.0 200 Fine, thank you\r\nServer: mine\r\nX-Empty:\r\nContent-Length: 13\r\n\r\n"


class Slow:
    """A connection that sends byte by byte."""

    def __init__(self, connection):
        self.recv = connection.recv
        self.send = connection.send

    def sendall(self, response):
        for position in range(len(response)):
            self.send(response[position:position + 1])
            time.sleep(0.001)


listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(Slow(connection), RESPONSE + b"Hello, World!")
    connection.close()
