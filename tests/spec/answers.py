"""Checks of one answer: what a client gets who asks, and reads until the end."""


import lab
from tests.spec.subject import (
    BODY,
    TRACEBACK,
    Fault,
    doing,
    holdings,
    must_be_alive,
    must_not_show_a_traceback,
)


def answers(subject):
    """Two clients, one after the other; 3e may die of a signal between them."""
    with subject.start() as server:
        for client in ("A client", "A second client"):
            answer = lab.ask(server.port, timeout=subject.patience, until=BODY)
            if answer.status == 200:
                continue
            lab.eventually(lambda: server.exit_status is not None, 0.5)
            if client != "A client" and "Interrupted system call" in server.stderr:
                return  # lives_through_signal asks about that
            must_be_alive(server, "a client that asked for /hello")
            must_not_show_a_traceback(server, "a client that asked for /hello")
            raise Fault(f"{client} asked for /hello.",
                        "HTTP/1.1 200 OK, an empty line, and the body; lines end with \\r\\n.",
                        f"{what_came(answer)} {doing(server)}")
        if lab.eventually(lambda: TRACEBACK.search(server.stderr), 0.2):
            lab.eventually(lambda: server.exit_status is not None, 0.5)  # by then it is all there
        if "Interrupted system call" not in server.stderr:
            must_not_show_a_traceback(server, "two clients that asked for /hello")


def what_came(answer):
    """A sentence on an answer that is none."""
    if answer.data:
        return f"What came was {answer.data[:200]!r}."
    if answer.end is not None:
        return "The server closed the connection without a byte of an answer."
    return f"No byte of an answer came: {answer.error}."


def ends_the_connection(subject):
    with subject.start() as server:
        answer = lab.ask(server.port, timeout=subject.patience)
        if answer.end is None:
            raise Fault("A client asked, and read until the end.",
                        "The end comes: FIN goes out when the last copy of the connection closes.",
                        f"The client is still open {subject.patience:g} s after it connected. "
                        f"{holdings(server)}")

