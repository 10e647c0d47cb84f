"""Wrong: a status line that is none."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"banana 200\r\n\r\nHello, World!\n")
    connection.close()
