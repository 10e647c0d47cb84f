"""Wrong: it reads what clients ask, and says nothing."""

from polite import listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    while connection.recv(65536):
        pass
    connection.close()
