"""One question, with all that was sent, received and printed: make check ONLY=stops."""

import socket
from contextlib import contextmanager

from tests.spec.subject import Subject

AT_LENGTH = 6  # so many clients are shown
LONG = 400  # bytes of one message; the rest is counted


class Recorded(socket.socket):
    """A socket that notes what goes through it, once it connects."""

    clients = []  # all that have connected, in their order

    def connect(self, address):
        self._begin(address)
        return self._noting("could not connect", super().connect, address)

    def connect_ex(self, address):
        self._begin(address)
        return super().connect_ex(address)

    def _begin(self, address):
        self.port, self.talk = address[1], []
        Recorded.clients.append(self)

    def send(self, data, *flags):
        count = self._noting("could not send", super().send, data, *flags)
        self._note("sent", bytes(data[:count]))
        return count

    def sendall(self, data, *flags):
        self._noting("could not send", super().sendall, data, *flags)
        self._note("sent", bytes(data))

    def recv(self, *arguments):
        data = self._noting("nothing more came", super().recv, *arguments)
        self._note("received", data)
        return data

    def recv_into(self, buffer, *arguments):
        count = self._noting("nothing more came", super().recv_into, buffer, *arguments)
        self._note("received", bytes(buffer[:count]))
        return count

    def close(self):
        if getattr(self, "talk", None) is not None and not self._closed:
            self._note("the client closed the connection")
        super().close()

    def _noting(self, what, call, *arguments):
        """Call, and note down the error that it raises."""
        try:
            return call(*arguments)
        except BlockingIOError:
            raise
        except OSError as error:
            self._note(f"{what}: {error}")
            raise

    def _note(self, what, data=None):
        """Data joins what came before it in the same direction; b"" received is the end."""
        if what == "received" and not data:
            what, data = "the server closed the connection", None
        if self.talk and data is not None and self.talk[-1][0] == what:
            data = self.talk.pop()[1] + data
        self.talk.append((what, data))


class Heard(Subject):
    """A server under test, whose starts are kept in `servers`."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.servers = []

    @contextmanager
    def start(self, *arguments, **options):
        with super().start(*arguments, **options) as server:
            self.servers.append(server)
            yield server


@contextmanager
def recorded():
    """What the clients say in a with block is noted; a list of Recorded, one for each."""
    original, Recorded.clients = socket.socket, []
    socket.socket = Recorded
    try:
        yield Recorded.clients
    finally:
        socket.socket = original


def tell(screen, clients, servers):
    """Print what was said, and what the servers printed."""
    for number, client in enumerate(clients[:AT_LENGTH], 1):
        screen.say("")
        screen.say((f"  client {number}", "bold"), f", to port {client.port}")
        for what, data in client.talk or [("said nothing", None)]:
            tell_message(screen, what, data)
    if len(clients) > AT_LENGTH:
        screen.say(f"\n  and {len(clients) - AT_LENGTH} clients more")
    for server in servers:
        printed = (server.stdout + server.stderr).strip() or "nothing"
        screen.say("")
        screen.say(("  the server", "bold"), f" on port {server.port} printed")
        screen.tell(" " * 6, shortened(printed))


def tell_message(screen, what, data):
    if data is None:
        screen.say(f"      {what}")
        return
    label = f"      {what:9} "
    for line in data[:LONG].splitlines(keepends=True):
        screen.tell(label, repr(line)[1:])
        label = " " * len(label)
    if len(data) > LONG:
        screen.say(label, f"and {len(data) - LONG} bytes more")


def shortened(text, lines=12):
    """The first and the last lines of a text, if it is long."""
    found = text.splitlines()
    if len(found) <= lines:
        return text
    return "\n".join([*found[:lines // 2], "...", *found[-lines // 2:]])
