"""Wrong: nothing tells where the head ends and the body begins."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"HTTP/1.1 200 OK\r\nHello, World!\n")
    connection.close()
