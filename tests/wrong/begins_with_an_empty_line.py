"""Wrong: something comes before the status line."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"\r\nHTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    connection.close()
