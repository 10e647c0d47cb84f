"""Wrong: it says hello without end."""

from polite import RESPONSE, answer, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection, RESPONSE + 1_000_000 * b"Hello, World!\n")
    connection.close()
