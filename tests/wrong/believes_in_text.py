"""Wrong: it believes that whatever a client sends is text."""

from polite import listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    try:
        print(connection.recv(65536).decode(), flush=True)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    except OSError:  # the client left early
        pass
    connection.close()
