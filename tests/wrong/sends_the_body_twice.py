"""Wrong: the body comes twice."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"HTTP/1.1 200 OK\r\n\r\n" + 2 * b"Hello, World!\n")
    connection.close()
