"""Wrong: the whole network may come in."""

from polite import answer, listen

listen_socket = listen("0.0.0.0")
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
