"""Wrong: it asks the kernel for a client again and again, instead of sleeping until one comes."""

from polite import answer, listen

listen_socket = listen()
listen_socket.setblocking(False)
while True:
    try:
        connection, address = listen_socket.accept()
    except BlockingIOError:
        continue
    connection.setblocking(True)
    answer(connection)
    connection.close()
