"""A client that keeps quiet while one looks at who holds its connection."""

from lab.clients import REQUEST, ask, connect, read_until
from lab.kernel import (
    CannotSee,
    children,
    connections,
    descriptor_count,
    descriptors,
    eventually,
    listeners,
    process,
    zombies,
)


class SilentClient:
    """Connected to a server that forks, with nothing said yet: a child waits for its request.

    server      the lab.Server; only this client has come to it
    child       the PID of the child
    connection  the client's own socket
    names       {inode: its name} of the server's two sockets, as soon as tables() was asked for
    """

    names = None

    def __init__(self, server):
        self.server, self.connection = server, connect(server.port)
        [child] = eventually(lambda: children(server.pid))
        self.child = child.pid
        both = server.pid, self.child  # the parent is asleep when it is back in accept
        eventually(lambda: all(process(pid).state == "sleeping" for pid in both))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.connection.close()

    def asks(self):
        """Send the request, and wait until the child has ended; the answer as far as World!"""
        self.connection.settimeout(10)
        self.connection.sendall(REQUEST)
        answer = read_until(self.connection, b"World!\n")
        eventually(lambda: zombies(self.server.pid))
        return answer

    def hears(self, within=0.5):
        """What is on its line now: "bytes", "the end", or "nothing" for so many seconds."""
        self.connection.settimeout(within)
        try:
            return "bytes" if self.connection.recv(65536) else "the end"
        except TimeoutError:
            return "nothing"

    def tables(self):
        """Its parent's and its child's descriptors, as pictures.descriptor_tables wants them.

        Raises CannotSee where the system does not show them.
        """
        pids = {self.server.pid: "parent", self.child: "child"}
        self.names = self.names or self._names()
        return {pid: descriptors(pid) for pid in pids}, self.names, pids

    def _names(self):
        """{inode: its name} of the two sockets of the server."""
        [end] = [end for end in connections(self.server.port)
                 if end.foreign == self.connection.getsockname()]
        return {listeners(self.server.port)[0].inode: "listening socket", end.inode: "connection"}


def draw_held(client, title):
    """A picture of who holds what; where the system does not show it, the reason."""
    from lab.pictures import descriptor_tables  # slow to import, and only chapters draw

    try:
        tables, names, processes = client.tables()
    except CannotSee as reason:
        return reason
    return descriptor_tables(tables, names, processes, title)


def count_by_clients(server, clients, every=25):
    """[(clients that have come and gone, descriptors of the server), ...], while it lives.

    A point for every so many clients, and one for the last after which it served another.
    """
    points = []
    for number in range(clients + 1):
        point = (number, descriptor_count(server.pid))
        if number < clients and ask(server.port, until=b"World!").status != 200:
            break
        points.append(point)
    return [*points[:-1:every], points[-1]]
