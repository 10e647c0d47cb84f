"""The letter box takes letters by POST from many at once, and says how many bytes each has.

    python notebooks/mysteries/letters.py
    curl --data "Dear aunt" http://localhost:8888/
"""

import os
import re
import selectors
import signal
import socket

PORT = int(os.environ.get("PORT") or "8888")
selector = selectors.DefaultSelector()
received = {}  # what each connection has sent so far


def let_in(listen_socket):
    connection, _ = listen_socket.accept()
    received[connection] = b""
    selector.register(connection, selectors.EVENT_READ, take)


def let_go(connection):
    selector.unregister(connection)
    del received[connection]
    connection.close()


def take(connection):
    block = connection.recv(65536)
    received[connection] += block
    head, end_of_head, letter = received[connection].partition(b"\r\n\r\n")
    if block and not end_of_head:
        return
    found = re.search(rb"\ncontent-length: *(\d+)", head, re.IGNORECASE)
    length = int(found[1]) if found else 0
    while block and len(letter) < length:
        block = connection.recv(65536)
        letter += block
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nA letter of %d bytes\n" % len(letter))
    let_go(connection)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    selector.register(listen_socket, selectors.EVENT_READ, let_in)
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        for key, _ in selector.select():
            try:
                key.data(key.fileobj)
            except OSError as error:
                print(f"Somebody left early: {error}", flush=True)
                if key.fileobj is not listen_socket:
                    let_go(key.fileobj)


if __name__ == "__main__":
    main()
