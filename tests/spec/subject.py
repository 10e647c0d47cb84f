"""A server under test, and what its checks have in common: the evidence, and where it is from."""

import os
import re
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from copy import copy

import lab

BODY = b"\r\n\r\n"  # the empty line before the body: an answer is there, if not the end of it


TRACEBACK = re.compile(  # of Python, JavaScript, Java, Go, Ruby
    r"^Traceback \(most recent call last\)|^ +at .+[:(].*:\d+\)?$|^Exception in thread|"
    r"^\s+at [\w.$]+\(|^goroutine \d+ \[|^\s+from \S+:\d+:in ", re.MULTILINE)


class Fault(AssertionError):
    """The server lacks the property. Three sentences say what was done, expected and seen; `said`
    is what the server itself wrote to its standard error."""

    said = ""

    def __init__(self, done, expected, seen):
        super().__init__(f"{done} Expected: {expected} Seen: {seen}")
        self.done, self.expected, self.seen = done, expected, seen


class TooSlow(Fault):
    """A question took longer than it may; the server was ended before it was answered."""


def slowness():
    """How many times longer things may take here, since others want the processors: from 1 to 3,
    for they mostly wait, and no reader waits for minutes."""
    return min(max(1, os.getloadavg()[0] / os.cpu_count()), 3)


class Subject:
    """A server under test: how to start it, and how long to wait for what ought to come.

    arguments   what the command wants, such as an application, where a check names none
    patience    seconds
    to_start    seconds that it may take until it listens
    """

    over = 0  # seconds, once its time is up, as limited() has it

    def __init__(self, command, arguments=(), patience=20, to_start=15):
        self.command = command
        self.arguments = arguments
        self.patience = patience
        self.to_start = to_start
        self.running = []

    @contextmanager
    def limited(self, limit, words):
        """A Subject for one question, in words, that may take so many seconds, and more where the
        machine is busy: then its servers are ended, and its check has met TooSlow."""
        limited, done = copy(self), threading.Event()
        limited.running = []
        threading.Thread(target=limited.end_after, args=(limit, done), daemon=True).start()
        try:
            yield limited
        except Exception:
            if not limited.over:
                raise
        finally:
            done.set()
        if limited.over:
            raise TooSlow(f"It was tried for {limited.over} s whether the server {words}.",
                          "The answer is clear before that.",
                          f"It took longer than {limit} s. The server is slow: look at how long "
                          "one client waits for its answer, and for its end.")

    def end_after(self, limit, done):
        """End all of its servers when the time is up, unless `done` is set before: nothing that
        waits for them waits any longer."""
        start = time.monotonic()
        while (left := start + limit * slowness() - time.monotonic()) > 0:
            if done.wait(left):
                return
        self.over = round(time.monotonic() - start)
        for server in list(self.running):
            self.kill(server)

    def kill(self, server):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)

    def full_command(self, arguments=()):
        return [*self.command, *(arguments or self.arguments)]

    @contextmanager
    def start(self, arguments=(), **options):
        """Start the server; that it is not to be reached, or gone, is a Fault.

        server.workers is the set of its children that no client was needed for.
        """
        options = {"within": self.to_start, "DELAY": 0, **options}
        with lab.start(self.full_command(arguments), **options) as server:
            self.running.append(server)
            if self.over:
                self.kill(server)
            server.workers = {worker.pid for worker in lab.children(server.pid)}
            try:
                yield server
            except Fault as fault:
                fault.said = server.stderr
                raise
            except (ConnectionError, TimeoutError, ProcessLookupError) as error:
                lab.eventually(lambda: server.exit_status is not None, 0.5)
                must_be_alive(server, "its last client")
                raise Fault("A client connected, and asked.", "The server takes that.",
                            f"{in_words(error)} {doing(server)}") from None
            finally:  # not with SIGTERM: whether it stops of that is asked once, in manners.py
                self.running.remove(server)
                self.kill(server)


def in_words(error):
    """A sentence on what went wrong for a client; of time that is up Python says little."""
    if str(error) == "timed out":
        return "It did not, for as long as the client waited."
    return f"{error}."


def must_be_alive(server, after):
    """Raise Fault if the server ended, with its last words."""
    if server.exit_status is None:
        return
    words = server.stderr.strip()[-1000:] or server.stdout.strip()[-300:]
    raise Fault(f"The server had just seen {after}.", "It goes on, and serves the next.",
                f"The server ended, with status {server.exit_status}. "
                + (f"Its last output:\n{words}" if words else "It said nothing."))


@contextmanager
def but_for_a_signal():
    """That a server dies of EINTR is the lesson of 3e: lives_through_signal asks about that, and no
    Fault of it leaves a with block."""
    try:
        yield
    except Fault as fault:
        if "Interrupted system call" not in fault.seen:
            raise


def must_answer(server, subject, after):
    """Raise Fault unless the next client is answered."""
    answer = lab.ask(server.port, timeout=subject.patience, until=BODY)
    if answer.status != 200:
        lab.eventually(lambda: server.exit_status is not None, 0.5)
        must_be_alive(server, after)
        raise Fault(f"After {after}, another client asked for /hello.", "It is answered.",
                    f"It got no answer. {what_came(answer)} {doing(server)}")


def what_came(answer):
    """A sentence or two on an Answer: the bytes, and how the connection ended."""
    size, error = len(answer.data), answer.error
    came = f"What came was {answer.data[:200]!r}. " if size else ""
    after = f"after {size} bytes" if size else "without a byte of an answer"
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused: nobody listens there any more."
    if isinstance(error, ConnectionError):
        return f"{came}The connection was reset (RST) {after}."
    if isinstance(error, TimeoutError) and answer.connected is None:
        return "The client was not let in: the queue of the listening socket is full."
    if isinstance(error, TimeoutError):
        return (f"{came}The connection is still open, and silent since then." if came else
                "No byte of an answer came; the connection is open, and silent.")
    if error:
        return f"{came}{error}."
    if answer.end is not None:
        return f"{came}The server closed the connection {after}."
    return came.strip()  # the client had enough


def must_outlive_its_children(server):
    """Raise Fault if the server dies when the last of its children has ended, workers aside."""
    def busy():
        return len({child.pid for child in alive(lab.children(server.pid))} - server.workers)

    comes_to(0, busy, 1.5)
    lab.eventually(lambda: server.exit_status is not None, 0.2)
    must_be_alive(server, "its clients come and go")


def must_not_show_a_traceback(server, after):
    """Raise Fault if the server printed one, with its last line."""
    if TRACEBACK.search(server.stderr):
        settled(lambda: len(server.stderr))  # it is printed line by line
        last = "\n".join(server.stderr.strip().splitlines()[-4:])
        raise Fault(f"The server had just seen {after}.",
                    "It says nothing, or what went wrong in a sentence.",
                    f"It printed a traceback, ending in:\n{last}")


def chief(server):
    """The PID of the process that listens: the server itself, if no script or tool started it.

    Of several processes that listen it is the one that started the others.
    """
    try:
        found = {pid for listener in lab.listeners(server.port)
                 for pid, _ in lab.holders(listener.inode, server.members())}
    except lab.CannotSee:
        return server.pid
    processes = [process for process in map(lab.process, found) if process]
    first = [process for process in processes if process.ppid not in found]
    if len(first) == 1:
        return first[0].pid
    parents = {process.ppid for process in first}  # workers only, whose parent does not listen
    return parents.pop() if len(parents) == 1 else server.pid


def doing(server):
    """A sentence on where the server is just now, for evidence; none where one cannot see."""
    pid = chief(server)
    call, process = lab.sleeps_in(pid), lab.process(pid)
    if process and process.state == "running":
        return f"Meanwhile its process {pid} is busy."
    return f"Meanwhile its process {pid} sleeps in {call}." if call else ""


def alive(processes):
    return [process for process in processes if process.state != "zombie"]


def freeze(pid):
    """Stop a process, and wait until it has stopped: the signal takes a moment."""
    os.kill(pid, signal.SIGSTOP)
    lab.eventually(lambda: (seen := lab.process(pid)) is None or seen.state == "stopped")


def holdings(server):
    """A sentence on the sockets of a server, for evidence: at most eight of them."""
    pid = chief(server)
    try:
        held = [f"{number} is {target}" for number, target in lab.descriptors(pid).items()
                if target.startswith("socket:")]
    except lab.CannotSee as reason:
        return str(reason)
    more = f", and {len(held) - 8} more" if len(held) > 8 else ""
    return f"Of what process {pid} has open, {', '.join(held[:8])}{more}."


def settled(count):
    """What count() is, when it has not changed for a tenth of a second."""
    before, after = None, count()
    while before != after:
        time.sleep(0.1)
        before, after = after, count()
    return after


def comes_to(target, count, patience):
    """Whether count() comes to the target; it may take long, but not stand still for so long.

    What comes and goes for ever is given up as well, after four times as long."""
    deadline = time.monotonic() + 4 * patience
    while (before := count()) != target:
        if time.monotonic() > deadline:
            return False
        if not lab.eventually(lambda before=before: count() != before, patience):
            return False
    return True


def nonblocking(port):
    """A socket that goes on connecting by itself: where the queue is full, connect would wait."""
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection


def is_connected(connection):
    with suppress(OSError):
        return bool(connection.getpeername())
    return False


def tasks(server):
    """How many processes and threads the server consists of."""
    return sum(lab.thread_count(pid) for pid in server.members())


def subject_of(stage, patience=20):
    """One of the project's stages as a Subject."""
    return Subject(lab.stage_command(stage.name), stage.arguments, patience)


@contextmanager
def silent_clients(server, clients=3):
    """So many clients, connected and silent as long as a with block runs.

    Many come one after another: a short queue is not to overflow, which costs a second each time.
    """
    with ExitStack() as stack:
        connected = []
        for _ in range(clients):
            connected.append(stack.enter_context(nonblocking(server.port)))
            lab.eventually(lambda: is_connected(connected[-1]), 0.1)
            time.sleep(0.003)
        for connection in connected:
            connection.settimeout(10)
        yield connected


def living(server):
    """The PIDs of the processes that the server consists of, zombies left out."""
    return {process.pid for process in alive(filter(None, map(lab.process, server.members())))}

