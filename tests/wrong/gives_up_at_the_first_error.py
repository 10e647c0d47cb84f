"""Wrong: one client's error ends the loop that serves all."""

from polite import RESPONSE, listen

listen_socket = listen()
try:
    while True:
        connection, address = listen_socket.accept()
        connection.recv(65536)
        connection.sendall(RESPONSE)
        connection.close()
except OSError:
    pass
