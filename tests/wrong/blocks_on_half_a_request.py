"""Wrong: a loop that asks who is ready, and then waits for the rest of what that one has to say."""

import selectors

from polite import listen

selector = selectors.DefaultSelector()
listen_socket = listen()
listen_socket.listen(1024)
listen_socket.setblocking(False)
selector.register(listen_socket, selectors.EVENT_READ)


def serve(connection):
    request = b""
    try:
        while b"\r\n\r\n" not in request:
            block = connection.recv(65536)
            if not block:
                break
            request += block
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    except OSError:  # the client left early
        pass
    connection.close()


while True:
    for key, _ in selector.select():
        if key.fileobj is not listen_socket:
            selector.unregister(key.fileobj)
            serve(key.fileobj)
            continue
        try:
            connection, address = listen_socket.accept()
        except BlockingIOError:
            continue
        connection.setblocking(True)
        selector.register(connection, selectors.EVENT_READ)
