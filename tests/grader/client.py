#!/usr/bin/env python3
"""One client of each kind, for the lines that make check prints: it says what it sends and gets.

    asks N      asks for /hello, N times, one after another; once if there is no number
    late        connects, says nothing for a second, and asks with a long request then
    crowd N     N clients ask at the same moment; how many were answered
    row N       N clients ask one after another, and leave with the first bytes
    silent N    N clients that connect and say nothing, for a minute
    nothing     connects and closes
    nonsense    sends what is no request, on one connection after another
    leaves      is gone in the middle of a request, or before the answer

It finds HOST and PORT in its environment. It needs nothing but Python.
"""

import os
import socket
import struct
import sys
import time

PLACE = os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 8888)
REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATIENCE = 5  # seconds for each answer
NONSENSE = [b"nonsense\r\n\r\n", b"\xff\xfe\x00\r\n\r\n", b"GET /a b HTTP/1.1\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nno colon\r\n\r\n", b"GET /" + b"a" * 70_000 + b"\r\n\r\n"]


def connect():
    return socket.create_connection(PLACE, PATIENCE)


def read(connection):
    """What came until the end, as bytes, and a sentence on the end."""
    data, start = b"", time.monotonic()
    try:
        connection.settimeout(PATIENCE)
        while True:
            block = connection.recv(65536)
            if not block:
                return data, f"the server closed, after {time.monotonic() - start:.1f} s"
            data += block
    except TimeoutError:
        return data, f"still open, and silent for {PATIENCE} s"
    except OSError as error:
        return data, str(error)


def asks(count):
    for _ in range(count):
        ask(REQUEST)


def ask(request):
    """Send it, and print what comes, line by line, as the bytes that they are."""
    print("sent    ", shortened(request))
    try:
        with connect() as connection:
            connection.sendall(request)
            data, end = read(connection)
    except OSError as error:
        data, end = b"", str(error)
    for line in data.splitlines(keepends=True)[:20]:
        print("received", shortened(line))
    print("then    ", end, flush=True)


def shortened(data):
    return repr(data) if len(data) <= 80 else f"{data[:60]!r} ... ({len(data)} bytes)"


def late(count):
    """Who answers before he was asked is found out, and who reads a part of the request only."""
    with connect() as connection:
        time.sleep(1)
        connection.settimeout(0.1)
        try:
            print("unasked ", connection.recv(65536) or "the server closed")
        except TimeoutError:
            print("unasked  nothing came, as it should be")
        connection.sendall(REQUEST[:-2] + b"Cookie: " + b"c" * 400 + b"\r\n\r\n")
        time.sleep(1)
        data, end = read(connection)
        print("received", data)
        print("then    ", end, flush=True)


def crowd(count):
    """All of them connect, then all of them ask, then all of them read."""
    clients = [connect() for _ in range(count)]
    for client in clients:
        client.sendall(REQUEST)
    print(sum(read(client)[0].startswith(b"HTTP") for client in clients),
          f"of {count} clients were answered", flush=True)


def row(count):
    for number in range(1, count + 1):
        try:
            with connect() as connection:
                connection.sendall(REQUEST)
                answered = connection.recv(1024)
        except OSError as error:
            sys.exit(f"Client {number} of {count}: {error}")
        if not answered:
            sys.exit(f"Client {number} of {count} got no answer")
    print(f"{count} clients were answered, one after another", flush=True)


def silent(count):
    """Where the queue is full, connect would wait: these go on connecting by themselves."""
    clients = [socket.socket() for _ in range(count)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex(PLACE)
    print("silent clients:", count, flush=True)
    time.sleep(60)


def nothing(count):
    for _ in range(count):
        connect().close()
    print("connected, and closed", flush=True)


def nonsense(count):
    for request in NONSENSE:
        ask(request)


def leaves(count):
    """With FIN as a program that ends, with RST as one that crashes: see socket(7), SO_LINGER."""
    for request in (b"", b"GET /hel", REQUEST):
        for end in ("close", "reset"):
            with connect() as connection:
                connection.sendall(request)
                if end == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
            print("sent    ", request, "and left, with a", end, flush=True)
            time.sleep(0.2)


KINDS = {kind.__name__: kind for kind in
         (asks, late, crowd, row, silent, nothing, nonsense, leaves)}


def main():
    words = sys.argv[1:]
    if not 1 <= len(words) <= 2 or words[0] not in KINDS or not "".join(words[1:] or "1").isdigit():
        sys.exit(f"Say which client: one of {', '.join(KINDS)}, and how many.\n\n{__doc__}")
    try:
        KINDS[words[0]](int("".join(words[1:]) or 1))
    except OSError as error:
        sys.exit(f"Client: {error}")


if __name__ == "__main__":
    main()
