"""Wrong: a client that leaves early is worth a traceback to it."""

import traceback

from polite import listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    try:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    except OSError:
        traceback.print_exc()
    connection.close()
