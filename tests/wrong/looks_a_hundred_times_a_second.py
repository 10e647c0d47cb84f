"""Wrong: its loop waits for a hundredth of a second, and then looks what else there is to do."""

import selectors

from polite import answer, listen

selector = selectors.DefaultSelector()
listen_socket = listen()
listen_socket.listen(5000)
listen_socket.setblocking(False)
selector.register(listen_socket, selectors.EVENT_READ)
while True:
    for key, _ in selector.select(0.01):
        if key.fileobj is not listen_socket:
            selector.unregister(key.fileobj)
            answer(key.fileobj)
            key.fileobj.close()
            continue
        try:
            connection, address = listen_socket.accept()
        except BlockingIOError:  # the client is gone again
            continue
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
