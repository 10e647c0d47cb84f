"""Wrong: the last chunk never comes."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       b"e\r\nHello, World!\n\r\n")
    connection.close()
