"""Wrong: of a body it reads what one recv gives."""

from polite_wsgi import stage

server = stage("2c")


def read(connection, size):
    if size and not connection.buffer:
        connection.receive()
    found, connection.buffer = connection.buffer[:size], connection.buffer[size:]
    return found


server.Connection.read = read
server.main()
