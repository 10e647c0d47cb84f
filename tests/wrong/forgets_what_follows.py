"""Wrong: what has come after a request is thrown away with it."""

from polite_wsgi import stage

server = stage("3n")
read_request = server.read_request


def read_and_forget(connection):
    environ = yield from read_request(connection)
    connection.buffer = b""
    return environ


server.read_request = read_and_forget
server.main()
