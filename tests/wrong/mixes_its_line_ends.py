"""Wrong: a line ends with \\n alone among others."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"HTTP/1.1 200 OK\nContent-Type: text/plain\r\n\r\nHello, World!\n")
    connection.close()
