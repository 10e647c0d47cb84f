"""Wrong: it says hello, and no word of HTTP."""

from polite import answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, b"Hello, World!\n")
    connection.close()
