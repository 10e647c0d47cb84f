"""Wrong: it waits for the rest of a request that ended halfway; the end can be read for ever."""

import selectors

from polite import listen

selector = selectors.DefaultSelector()
listen_socket = listen()
listen_socket.listen(5000)
listen_socket.setblocking(False)
selector.register(listen_socket, selectors.EVENT_READ)
requests = {}


def accept():
    try:
        connection, address = listen_socket.accept()
    except BlockingIOError:  # the client is gone again
        return
    connection.setblocking(False)
    requests[connection] = b""
    selector.register(connection, selectors.EVENT_READ)


def serve(connection):
    try:
        requests[connection] += connection.recv(65536)
        if requests[connection] and b"\r\n\r\n" not in requests[connection]:
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
    except OSError:  # the client left early
        pass
    del requests[connection]
    selector.unregister(connection)
    connection.close()


while True:
    for key, _ in selector.select():
        if key.fileobj is listen_socket:
            accept()
        else:
            serve(key.fileobj)
