"""Checks with clients that behave badly: each in turn, and after each a good one."""

from contextlib import suppress

import lab
from tests.spec.subject import (
    BODY,
    must_answer,
    must_not_show_a_traceback,
    must_outlive_its_children,
)

RANDOM_BYTES = bytes(byte * byte % 251 for byte in range(100_000))


ENOUGH = 0.5  # seconds: who asked for nothing, or for nonsense, need not be answered


def connects_and_closes(port):
    lab.connect(port).close()


def connects_and_hangs_up(port):
    lab.ask(port, b"", timeout=ENOUGH, until=BODY, hang_up=True)


def sends(request):
    def send(port):
        lab.ask(port, request, timeout=ENOUGH, until=BODY, hang_up=True)
    return send


def resets_at_once(port):
    lab.reset(lab.connect(port))


def resets_in_the_middle(port):
    connection = lab.connect(port)
    connection.sendall(b"GET /hello HT")
    lab.reset(connection)


def resets_before_the_answer(port):
    connection = lab.connect(port)
    connection.sendall(lab.clients.REQUEST)
    lab.reset(connection)


def leaves_in_the_middle(port):
    with lab.connect(port) as connection:
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: loc")


def closes_before_the_answer(port):
    with lab.connect(port) as connection:
        connection.sendall(lab.clients.REQUEST)


SILENT = {
    "a client that sent nothing and closed": connects_and_closes,
    "a client that sent nothing and hung up": connects_and_hangs_up,
}


UNREADABLE = {  # what a WSGI server answers with 400
    "100 KB of random bytes": RANDOM_BYTES,
    "a request line of one word": b"GET\r\nHost: localhost\r\n\r\n",
    "a request line of four words": b"GET /hello world HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a request line of 70 KB": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header without a colon": b"GET /hello HTTP/1.1\r\nHost localhost\r\n\r\n",
    "a request cut off in the middle": b"GET /hello HTTP/1.1\r\nHost: loc",
}


GARBLED = {name: sends(request) for name, request in UNREADABLE.items()}


VANISHING = {
    "a client that reset the connection at once": resets_at_once,
    "a client that reset the connection in the middle": resets_in_the_middle,
    "a client that reset the connection before the answer": resets_before_the_answer,
    "a client that left in the middle of its request": leaves_in_the_middle,
    "a client that closed before the answer": closes_before_the_answer,
}


def survives(subject, bad_clients):
    """Each bad client in turn, and after each a good one. DELAY leaves the server time to be
    back in accept when a child ends."""
    with subject.start(DELAY=0.05) as server:
        for name, bad_client in bad_clients.items():
            with suppress(ConnectionError):  # refused: whether the server died is asked next
                bad_client(server.port)
            must_answer(server, subject, name)
            must_not_show_a_traceback(server, name)
        must_outlive_its_children(server)


def rude_clients(port, rounds=2):
    """All that say nothing, or leave in the middle, some times over."""
    for bad_client in rounds * [*SILENT.values(), *VANISHING.values()]:
        bad_client(port)


def survives_silent_client(subject):
    survives(subject, SILENT)


def survives_garbled_client(subject):
    survives(subject, GARBLED)


def survives_vanishing_client(subject):
    survives(subject, VANISHING)

