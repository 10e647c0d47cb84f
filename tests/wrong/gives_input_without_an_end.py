"""Wrong: wsgi.input goes on where the body ends, and waits for more."""

import io

from polite_wsgi import stage

server = stage("2c")


class Endless(io.RawIOBase):
    """What has come, and whatever else will come."""

    def __init__(self, connection):
        self.connection = connection

    def readable(self):
        return True

    def readinto(self, space):
        block = self.connection.buffer or self.connection.socket.recv(len(space))
        space[:len(block)], self.connection.buffer = block, b""
        return len(block)


def read_request(connection):
    request = server.parse_head(connection.read_until(b"\r\n\r\n"))
    length = server.body_length(request)
    environ = server.build_environ(request, b"", connection)
    return {**environ, "CONTENT_LENGTH": str(length),
            "wsgi.input": io.BufferedReader(Endless(connection))}


server.read_request = read_request
server.main()
