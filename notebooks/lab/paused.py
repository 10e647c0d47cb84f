"""A server that stands still after each of its steps, so that one can look at what it holds."""

import os
import signal
import sys

from lab.clients import connect
from lab.kernel import (
    CannotSee,
    children,
    descriptors,
    eventually,
    listeners,
    process,
    socket_pairs,
)
from lab.server import start

BEGINNING = """
import os, signal, socket

listen_socket = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))

def pause():
    os.kill(os.getpid(), signal.SIGSTOP)
"""


class StandsElsewhere(Exception):
    """The step that a cell shows is not the next one: cells were run out of their order."""

    def _render_traceback_(self):  # what IPython shows of it: a sentence is enough
        return [str(self)]


class Paused:
    """A program that has a listen_socket and pauses at each pause(), and a client of it.

    steps    the text of the program from accept on; it may fork once
    client   the client's own socket; connected, and silent
    step     at which step the program stands: 1 at its first pause; None when it was closed
    """

    step = 1

    def __init__(self, steps):
        self._server = start([sys.executable, "-c", BEGINNING + steps])
        self.client = connect(self._server.port)
        self._child = None
        self._stands("parent")
        try:
            self._names = names(self._server.port)
        except CannotSee:  # draw() says why
            self._names = {}

    def go_on(self, role, to=None):
        """Let the "parent" or the "child" run to its next pause, or to its end.

        to   the step at which the program stands then; nothing is done if it stands there already
        Raises StandsElsewhere if that is not the next step.
        """
        if self.step is None:
            raise StandsElsewhere("This server was stopped. Run the cell that starts it, and then "
                                  "those after it, in their order.")
        if to not in (None, self.step, self.step + 1):
            raise StandsElsewhere(
                f"The server stands at step {self.step}, and this is step {to}. Run the cell that "
                "starts it, and then those after it, in their order.")
        if to == self.step:
            return
        self.step += 1
        os.kill(self._pids()[role], signal.SIGCONT)
        self._stands(role)
        self._stands("child")  # which may be new

    def _stands(self, role):
        pid = self._pids().get(role)
        eventually(lambda: not pid or process(pid).state in ("stopped", "zombie"))

    def _pids(self):
        """{"parent": PID, "child": PID}, as soon as there is a child."""
        for child in children(self._server.pid):
            self._child = child.pid
        pids = {"parent": self._server.pid, "child": self._child}
        return {role: pid for role, pid in pids.items() if pid}

    def draw(self, title):
        """A picture of who holds what; where the system does not show it, the reason."""
        from lab.pictures import descriptor_tables  # slow to import, and only chapters draw

        roles = {pid: role for role, pid in self._pids().items()}
        try:
            return descriptor_tables({pid: descriptors(pid) for pid in roles}, self._names, roles,
                                     title)
        except CannotSee as reason:
            return reason

    def close(self):
        self.step = None
        self.client.close()
        self._server.stop()


def names(port):
    """{inode: its name} of the listening socket and the only connection on a port.

    Raises CannotSee where the system does not show them.
    """
    [(_, connection)] = socket_pairs(port)
    return {listeners(port)[0].inode: "listening socket", connection.inode: "connection"}


def what_comes(connection, within=0.5):
    """What is on a client's line now: the bytes, "the end", "a reset", or "nothing" for so many
    seconds."""
    connection.settimeout(within)
    try:
        return connection.recv(65536) or "the end"
    except TimeoutError:
        return "nothing"
    except ConnectionResetError:
        return "a reset"
