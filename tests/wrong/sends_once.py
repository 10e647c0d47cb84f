"""Wrong: one send, whatever the kernel takes of a long answer."""

import os
import selectors

from polite import listen

RESPONSE = b"HTTP/1.1 200 OK\r\n\r\n" + b"Hello, World!\n" * int(os.environ.get("TIMES") or 1)
selector = selectors.DefaultSelector()
requests = {}
listen_socket = listen()
listen_socket.listen(1024)
listen_socket.setblocking(False)
selector.register(listen_socket, selectors.EVENT_READ)


def accept():
    try:
        connection, address = listen_socket.accept()
    except BlockingIOError:
        return
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ)
    requests[connection] = b""


def serve(connection):
    try:
        block = connection.recv(65536)
        requests[connection] += block
        if block and b"\r\n\r\n" not in requests[connection]:
            return
        connection.send(RESPONSE)
    except OSError:  # the client left early
        pass
    selector.unregister(connection)
    del requests[connection]
    connection.close()


while True:
    for key, _ in selector.select():
        if key.fileobj is listen_socket:
            accept()
        else:
            serve(key.fileobj)
