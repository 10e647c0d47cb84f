"""For how long checks wait for what never comes: a figure that no busy machine makes larger."""

import socket
import threading

import lab

OURS = threading.local()  # .seconds: what the question of this thread has waited in vain


def count(seconds):
    OURS.seconds = getattr(OURS, "seconds", 0) + (seconds or 0)


def recorded(grading, monkeypatch):
    """A list that fills with (question, patience, seconds in vain) while the grader asks."""
    found = []
    ask, eventually = grading.ask, lab.eventually

    def asks(question, stage, subject):
        OURS.seconds = 0
        result = ask(question, stage, subject)
        found.append((question.name, subject.patience, OURS.seconds))
        return result

    def counts(condition, within=10, every=0.01):
        if not (answer := eventually(condition, within, every)):
            count(within)
        return answer

    monkeypatch.setattr(grading, "ask", asks)
    monkeypatch.setattr(lab, "eventually", counts)
    for name in ("connect", "recv", "sendall"):
        monkeypatch.setattr(socket.socket, name, counted(getattr(socket.socket, name)))
    return found


def counted(call):
    """A method of sockets that counts what it has waited when its time is over."""
    def wrapper(self, *arguments):
        try:
            return call(self, *arguments)
        except TimeoutError:
            count(self.gettimeout())
            raise
    return wrapper


def longest(grading, found):
    """The seconds that a reader waits in vain: of what is asked first the longest, and of what is
    asked again. What the patience had grown for a slow machine does not count."""
    first, again = [0], [0]
    for name, patience, seconds in found:
        early = name in grading.ONCE or patience < grading.MORE_PATIENCE
        usual = grading.MORE_PATIENCE if patience >= grading.MORE_PATIENCE else grading.PATIENCE
        (first if early else again).append(seconds - (patience - usual))
    return max(first) + max(again)
