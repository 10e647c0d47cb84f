"""Wrong: it asks the kernel to hold four clients, and not five."""

from polite import answer, listen

listen_socket = listen()
listen_socket.listen(4)
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
