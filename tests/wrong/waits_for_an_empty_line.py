"""Wrong: it reads lines until the empty one, which never comes where the client has gone."""

from polite import RESPONSE, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    try:
        with connection, connection.makefile("rb") as lines:
            while lines.readline() != b"\r\n":
                pass
            connection.sendall(RESPONSE)
    except OSError:
        continue
