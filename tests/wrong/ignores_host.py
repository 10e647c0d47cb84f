"""Wrong: HOST may say what it likes."""

from polite import answer, listen

listen_socket = listen("127.0.0.1")
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
