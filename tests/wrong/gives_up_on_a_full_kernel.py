"""Wrong: where the kernel has no room for more of an answer, it takes the client for gone."""

from polite_wsgi import stage

server = stage("3m")


def send_some(connection):
    try:
        sent = connection.socket.send(connection.unsent)
    except OSError as error:
        raise server.ClientLeft(error) from None
    del connection.unsent[:sent]


def send(connection, data):
    connection.unsent += data
    while connection.unsent:
        connection.send_some()
    yield server.WRITE


server.Connection.send_some, server.Connection.send = send_some, send
server.main()
