"""Wrong: a client that is silent for some seconds ends it."""

from polite import RESPONSE, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    connection.settimeout(3)
    try:
        connection.recv(65536)
        connection.sendall(RESPONSE)
    except ConnectionError:
        pass
    connection.close()
