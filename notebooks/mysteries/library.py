"""The library lends the files of the folder that it is started in. To HEAD it says how long one is.

    python notebooks/mysteries/library.py
    curl http://localhost:8888/LICENSE
    curl --head http://localhost:8888/LICENSE
"""

import os
import signal
import socket

PORT = int(os.environ.get("PORT") or "8888")
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def page(method, name):
    if "/" in name or not os.path.isfile(name):
        return NOT_FOUND
    file = os.open(name, os.O_RDONLY)
    size = os.fstat(file).st_size
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    if method == "HEAD":
        return head
    body = os.read(file, size)
    os.close(file)
    return head + body


def answer(connection):
    words = connection.recv(65536).decode("latin-1").split()
    if len(words) > 1:
        method, path = words[:2]
        connection.sendall(page(method, path.removeprefix("/")))


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        connection, _ = listen_socket.accept()
        connection.settimeout(5)
        try:
            answer(connection)
        except (ConnectionError, TimeoutError) as error:
            print(f"A reader left early: {error}", flush=True)
        finally:
            connection.close()


if __name__ == "__main__":
    main()
