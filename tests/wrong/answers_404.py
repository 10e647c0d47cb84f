"""Wrong: what was asked for is not there."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"HTTP/1.1 404 Not Found\r\n\r\nHello, World!\n")
    connection.close()
