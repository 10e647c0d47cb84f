"""Wrong: its status line ends as HTTP has it, and its header does not."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\n\r\nHello, World!\n")
    connection.close()
