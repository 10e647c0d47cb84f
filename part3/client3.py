"""Many clients at once: each is a forked process that opens its own connections.

Try it, with a server running:
    python part3/client3.py --max-clients 300
    python part3/client3.py --max-clients 10 --max-conns 50
"""

import argparse
import os
import signal
import socket
import sys

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"


def whole_number(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def parse_arguments():
    parser = argparse.ArgumentParser(description="Open many connections to a server at once.")
    parser.add_argument("--max-clients", type=whole_number, default=1, metavar="N",
                        help="how many clients, each a process of its own (default: 1)")
    parser.add_argument("--max-conns", type=whole_number, default=1, metavar="N",
                        help="how many connections each client opens (default: 1)")
    return parser.parse_args()


def be_a_client(max_conns):
    """Open the connections, ask on each, wait for the first bytes of every answer."""
    connections = []
    for _ in range(max_conns):
        connection = socket.create_connection((HOST, PORT))
        connection.sendall(REQUEST)
        connections.append(connection)
    if not all(connection.recv(1024) for connection in connections):
        raise ConnectionError("the server closed a connection without an answer")


def fork_clients(max_clients, max_conns):
    """Fork the clients, then let all of them go at the same moment."""
    gate, gate_keeper = os.pipe()
    children = []
    for _ in range(max_clients):
        pid = os.fork()
        if pid == 0:
            os.close(gate_keeper)
            os.read(gate, 1)  # returns when the last copy of gate_keeper closes
            try:
                be_a_client(max_conns)
            except OSError as error:
                os.write(2, f"Client {os.getpid()}: {error}\n".encode())
                os._exit(1)
            os._exit(0)
        children.append(pid)
    os.close(gate_keeper)
    return children


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    arguments = parse_arguments()
    children = fork_clients(arguments.max_clients, arguments.max_conns)
    answered = sum(os.waitpid(pid, 0)[1] == 0 for pid in children)
    print(f"{answered} of {len(children)} clients were answered.")
    sys.exit(answered < len(children))


if __name__ == "__main__":
    main()
