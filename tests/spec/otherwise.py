"""Faults that a language hides: how to show what stands behind them all the same.

Each check returns a text, what was seen, or raises Fault, with what was missing.
"""

import signal

import lab
from tests.spec.subject import BODY, Fault, chief

BEHIND = ("Python does that by itself (PEP 475), and the kernel where SA_RESTART asks for it, as "
          "signal does in C. To see accept fail with EINTR, set the handler in C with sigaction, "
          "without SA_RESTART; in Python call the C library's accept through ctypes, as our 3e "
          "does.")


def lives_through_signal(subject):
    """A server that lives on: its handler runs in the middle of accept, and accept goes on."""
    with subject.start(DELAY=0.1) as server:
        pid = chief(server)
        if signal.SIGCHLD not in lab.caught_signals(pid):
            raise Fault("The server was started.", "It has a handler for SIGCHLD.",
                        f"Process {pid} has no handler for SIGCHLD: nothing interrupts its accept.")
        with lab.connect(server.port, timeout=subject.patience) as client:
            lab.eventually(lambda: lab.children(pid), subject.patience)
            lab.eventually(lambda: lab.sleeps_in(pid) == "accept", 1)
            before, woken = lab.sleeps_in(pid), lab.wakeups(pid)
            client.sendall(lab.clients.REQUEST)
            lab.read_until(client, BODY)
            reaped = lab.eventually(lambda: not lab.children(pid), subject.patience)
        if not reaped:
            raise Fault("A client was served, and its child ended.",
                        "The handler runs in the middle of accept, and waits for the child.",
                        f"The child of process {pid} has ended, and is there still.")
        if lab.wakeups(pid) == woken:
            raise lab.CannotSee("This system does not tell how often a process was woken.")
        lab.eventually(lambda: lab.sleeps_in(pid) == before, 1)
        return (f"Process {pid} slept in {before or 'accept'} when its child ended. It woke, its "
                "handler ran, the child was gone; then it slept in "
                f"{lab.sleeps_in(pid) or 'accept'} again, and no client had come. So the signal "
                f"did interrupt accept, and accept was called again. {BEHIND}")


OTHERWISE = {"lives_through_signal": lives_through_signal}
