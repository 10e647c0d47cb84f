"""The oracle answers each visitor five times a day. It stands behind nginx, on 127.0.0.1.

    python notebooks/mysteries/oracle.py
    curl http://localhost:8888/
"""

import os
import signal
import socket
import time
from collections import Counter

PORT = int(os.environ.get("PORT") or "8888")
ANSWERS_A_DAY = 5
asked = Counter()  # how often, by day and visitor


def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        block = connection.recv(65536)
        if not block:
            raise ConnectionError("The end came before the end of the head.")
        head += block
    _, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return {name.lower(): value.strip() for name, _, value in pairs}


def response(visitor):
    today = time.strftime("%Y-%m-%d")
    asked[today, visitor] += 1
    if asked[today, visitor] > ANSWERS_A_DAY:
        status, text = "429 Too Many Requests", "Come back tomorrow.\n"
    else:
        status, text = "200 OK", "Ask again later.\n"
    return (f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
            f"{text}").encode()


def answer(connection, address):
    headers = read_head(connection)
    visitor = address[0]
    print(f"A question for {headers.get('host', 'nobody')}", flush=True)
    connection.sendall(response(visitor))


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        connection, address = listen_socket.accept()
        connection.settimeout(5)
        with connection:
            try:
                answer(connection, address)
            except OSError as error:
                print(f"Somebody left early: {error}", flush=True)


if __name__ == "__main__":
    main()
