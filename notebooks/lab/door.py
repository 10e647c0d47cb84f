"""At the door of a server that serves one at a time: who is inside, who waits, who is outside.

    server, silent = busy("3a")    a stage, and a client that keeps it busy by saying nothing
    Crowd(server.port, 10)         ten more, who knock one after the other
    draw_queue(server, 5, title)   where they all are
    draw_ends(client, title)       the two ends of one connection
    draw_table(server, title)      the descriptors of the server
"""

import select
import socket
import time

from lab.clients import REQUEST, connect
from lab.kernel import (
    CannotSee,
    connections,
    descriptor_count,
    descriptors,
    eventually,
    listeners,
    queue,
    socket_pairs,
)
from lab.server import start_stage


def busy(stage, **options):
    """A stage, and a client that it has accepted and that says nothing; (lab.Server, socket)."""
    server = start_stage(stage, **options)
    idle = descriptor_count(server.pid)
    silent = connect(server.port)
    eventually(lambda: descriptor_count(server.pid) > idle)
    return server, silent


class Crowd:
    """Clients that knock at a port one after the other; each gives the kernel 0.1 s to let it in.

    clients   their sockets, non-blocking
    waited    {number of a client: seconds from its knock until it was let in}
    refused   the numbers of those to whom the kernel has said no
    """

    def __init__(self, port, count):
        self.clients = [socket.socket() for _ in range(count)]
        self.knocked, self.waited, self.refused = [], {}, []
        for number, client in enumerate(self.clients):
            client.setblocking(False)
            self.knocked.append(time.monotonic())
            client.connect_ex(("127.0.0.1", port))
            self._look([number], 0.1)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _look(self, outside, seconds):
        """Wait so long for one of these at most; the sockets of those that are let in now."""
        numbers = {self.clients[number]: number for number in outside}
        let_in = []
        for client in select.select([], list(numbers), [], max(0, seconds))[1]:
            number = numbers[client]
            if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.refused.append(number)
            else:
                self.waited[number] = time.monotonic() - self.knocked[number]
                let_in.append(client)
        return let_in

    def connected(self):
        """How many have been let in so far."""
        return len(self.waited)

    def outside(self):
        """The numbers of those that have no answer, neither yes nor no."""
        return [number for number in range(len(self.clients))
                if number not in self.waited and number not in self.refused]

    def fate(self):
        """What those saw who were not let in: "refused", "no answer", or "all got in"."""
        return "refused" if self.refused else "no answer" if self.outside() else "all got in"

    def ask(self, within=30):
        """Each sends its request as soon as it is let in; `waited` as a list, a number for each.

        Raises TimeoutError if somebody is not let in `within` seconds.
        """
        for number in self.waited:
            self.clients[number].sendall(REQUEST)
        deadline = time.monotonic() + within
        while outside := self.outside():
            for client in self._look(outside, deadline - time.monotonic()):
                client.sendall(REQUEST)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(outside)} clients were not let in within {within} s.")
        return [self.waited[number] for number in sorted(self.waited)]

    def close(self):
        for client in self.clients:
            client.close()


def draw_queue(server, backlog, title):
    """A picture of where a server's clients are; where the system does not show it, the reason."""
    from lab.pictures import listening_queue  # slow to import, and only chapters draw

    try:
        return listening_queue(*queue(server.pid, server.port), backlog=backlog, title=title)
    except CannotSee as reason:
        return reason


def draw_ends(client, title):
    """A picture of both ends of a client's connection; where they are not shown, the reason."""
    from lab.pictures import socket_pair

    here, port = client.getsockname(), client.getpeername()[1]
    try:
        return socket_pair(*next(pair for pair in socket_pairs(port) if pair[0].local == here),
                           title=title)
    except CannotSee as reason:
        return reason


def draw_table(server, title):
    """A picture of the descriptors of a server that has accepted one client; or the reason."""
    from lab.pictures import descriptor_tables

    try:
        [listener] = listeners(server.port)
        names = {listener.inode: "listening socket"}
        names.update({end.inode: "connection" for end in connections(server.port)
                      if end.local[1] == server.port and end.inode})
        return descriptor_tables({server.pid: descriptors(server.pid)}, names,
                                 {server.pid: "server"}, title)
    except CannotSee as reason:
        return reason
