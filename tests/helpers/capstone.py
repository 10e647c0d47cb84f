"""The last stage as a program with processes: how its tests start, ask and look at it."""

import os
import signal
import subprocess
import threading
import time

import lab
from tests.helpers import complete
from tests.helpers.complete import Stream, head, next_answer

LAST = complete.LAST_STAGE
PROCESSES = "tests.apps.of_workers:named"  # these applications, and those of APPS
GATED = "tests.apps.waits_at_import:app"
CLOSE = b"Connection: close"


def program(folder, constants):
    """The file of the last stage, or a copy of it in which constants have other values."""
    if not constants:
        return lab.stage_command(LAST)[-1]
    call = 'if __name__ == "__main__":'
    values = "".join(f"{name} = {value!r}\n" for name, value in constants.items())
    before, _, after = lab.server.stage_file(LAST).read_text().rpartition(call)
    copy = folder / "copy_with_other_constants.py"
    copy.write_text(before + values + call + after)
    return str(copy)


def run(*arguments, **environment):
    """Run the last stage with arguments that make it end by itself; its CompletedProcess."""
    return subprocess.run(
        lab.stage_command(LAST, *arguments), capture_output=True, text=True, timeout=30,
        cwd=lab.PROJECT, env={**os.environ, "PORT": str(lab.free_port()), **environment})


def get(path, *lines, version="1.1", method="GET"):
    return head(*lines, start=f"{method} {path} HTTP/{version}".encode())


def workers(server):
    """The PIDs of the master's living children."""
    return {child.pid for child in lab.children(server.pid) if child.state != "zombie"}


def says(server, words, times=1, within=10):
    """Whether these words come on stderr so many times, or more, and how soon."""
    return lab.eventually(lambda: server.stderr.count(words) >= times, within)


def are_loaded(server, count):
    """Whether so many workers have loaded an application of these that say so, or do so soon."""
    return says(server, "a worker is loaded", count)


def is_at_its_end(client):
    """Whether the server closes the connection, and says no more."""
    return client.recv(1) == b""


def assert_replaced(server, victims, within, count=2):
    """There are so many workers soon, and these are not among them."""
    replaced = lab.eventually(
        lambda: len(workers(server)) == count and not victims & workers(server), within)
    assert replaced, (f"Workers were {victims}, and {within} s later {workers(server)}. "
                      f"{server.stderr[-2000:]}")


def reload(server, within=15):
    """Send SIGHUP, and wait until none of the workers of before lets anybody in."""
    before = workers(server)
    os.kill(server.pid, signal.SIGHUP)
    assert lab.eventually(lambda: not lab.listening(before), within), (
        f"{within} s after SIGHUP workers of before still listen. {server.stderr[-2000:]}")


class Asker(threading.Thread):
    """A client that asks over and over, until it is told that it is over.

    It keeps its connection unless it was told "Connection: close", or sends that itself. Who was
    not told so must get an answer to its next request: if not, that request is among the lost.
    """

    def __init__(self, port, *requests):
        super().__init__()
        self.port, self.requests = port, requests
        self.over = threading.Event()
        self.served, self.lost = 0, []

    def run(self):
        while not self.over.is_set():
            try:
                with lab.connect(self.port, timeout=20) as client:
                    self.converse(client, Stream(client))
            except Exception as error:
                self.lost.append(error)

    def converse(self, client, stream):
        closing = False
        while not closing and not self.over.is_set():
            request = self.requests[self.served % len(self.requests)]
            client.sendall(request)
            answer = next_answer(stream)
            if answer.status != 200:
                raise AssertionError(f"{request!r} got {answer.status} {answer.body[:200]!r}")
            self.served += 1
            time.sleep(0.001)  # others want the processor as well
            closing = CLOSE in request or (answer.headers["Connection"] or "").lower() == "close"


def stop_asking(askers):
    """Let the askers end; how many requests were served. Fails if one was lost."""
    for asker in askers:
        asker.over.set()
    for asker in askers:
        asker.join()
    lost = [repr(error) for asker in askers for error in asker.lost]
    served = sum(asker.served for asker in askers)
    assert not lost, f"{len(lost)} requests of {served + len(lost)} were lost, such as {lost[:3]}"
    return served
