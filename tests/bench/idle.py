"""A process full of idle clients: each connects, has one request answered, and stays.

    python tests/bench/idle.py PORT COUNT SOURCE PATIENCE

They come from the address SOURCE, for an address has only some 28,000 ports to come from, and give
up when there was no answer for PATIENCE seconds. It prints how many have come in, and why not all
if so, in JSON; when its standard input ends, it prints how many of them the server has closed
meanwhile, and leaves.
"""

import json
import selectors
import socket
import sys

REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER_END = b"!\n"  # of the application's body, and of the hello stages'
AT_ONCE = 64  # so many wait for their answer: the listening queue is not to overflow
NO_PORT_YET = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)  # Linux; connect picks the port


def main():
    port, count, source, patience = sys.argv[1:]
    connections, why = come_in(int(port), int(count), source, float(patience))
    print(json.dumps({"came": len(connections), "why": why}), flush=True)
    sys.stdin.read()
    print(json.dumps({"closed": sum(not is_open(each) for each in connections)}), flush=True)


def come_in(port, count, source, patience):
    """Connect and ask, a few at a time; the connections that were answered, and why no more."""
    selector, answered, started = selectors.DefaultSelector(), [], 0
    while len(answered) < count:
        try:
            for _ in range(min(count - started, AT_ONCE - len(selector.get_map()))):
                selector.register(connect(port, source), selectors.EVENT_WRITE)
                started += 1
            ready = selector.select(patience)
            if not ready:
                return answered, f"no answer within {patience:.0f} s"
            for key, event in ready:
                if go_on(selector, key.fileobj, event):
                    answered.append(key.fileobj)
        except OSError as error:
            return answered, str(error)
    return answered, ""


def connect(port, source):
    connection = socket.socket()
    connection.setblocking(False)
    if source != "127.0.0.1":
        connection.setsockopt(socket.IPPROTO_IP, NO_PORT_YET, 1)
        connection.bind((source, 0))
    connection.connect_ex(("127.0.0.1", port))  # a failure shows when it is written to
    return connection


def go_on(selector, connection, event):
    """Ask who is connected, hear who was asked; whether the answer is complete."""
    if event & selectors.EVENT_WRITE:
        connection.sendall(REQUEST)
        selector.modify(connection, selectors.EVENT_READ)
        return False
    block = connection.recv(65536)
    if not block:
        raise ConnectionError("closed without an answer")
    if not block.endswith(ANSWER_END):
        return False
    selector.unregister(connection)
    return True


def is_open(connection):
    """Whether a connection on which nothing is due has not been ended by the other side."""
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


if __name__ == "__main__":
    main()
