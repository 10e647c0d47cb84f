"""One check for each property of tests/stages.py, from outside: sockets and the process table.

A check is called with a Subject, a server and how to start it. It returns if the server has the
property, and raises Fault, with the evidence, if it has not. Whatever it started has ended then.
What single stages are asked for besides is in ideas.py, what all of them are in manners.py.
"""

import os
import re
import signal
import socket
import time
from contextlib import ExitStack, contextmanager, suppress

import lab
from stages import PROPERTIES

APPLICATION = ["part2.wsgiapp:app"]
PROBE = ["tests.pep3333app:app"]
BODY = b"\r\n\r\n"  # the empty line before the body: an answer is there, if not the end of it
RANDOM_BYTES = bytes(byte * byte % 251 for byte in range(100_000))


TRACEBACK = re.compile(  # of Python, JavaScript, Java, Go, Ruby
    r"^Traceback \(most recent call last\)|^ +at .+[:(].*:\d+\)?$|^Exception in thread|"
    r"^\s+at [\w.$]+\(|^goroutine \d+ \[|^\s+from \S+:\d+:in ", re.MULTILINE)


class Fault(AssertionError):
    """The server lacks the property. Three sentences say what was done, expected and seen."""

    def __init__(self, done, expected, seen):
        super().__init__(f"{done} Expected: {expected} Seen: {seen}")
        self.done, self.expected, self.seen = done, expected, seen


class Subject:
    """A server under test: how to start it, and how long to wait for what ought to come.

    arguments   what the command wants, such as an application, where a check names none
    patience    seconds
    to_start    seconds that it may take until it listens
    """

    def __init__(self, command, arguments=(), patience=20, to_start=15):
        self.command = command
        self.arguments = arguments
        self.patience = patience
        self.to_start = to_start

    def full_command(self, arguments=()):
        return [*self.command, *(arguments or self.arguments)]

    @contextmanager
    def start(self, arguments=(), **options):
        """Start the server; that it is not to be reached, or gone, is a Fault.

        server.workers is the set of its children that no client was needed for.
        """
        options = {"within": self.to_start, "DELAY": 0, **options}
        with lab.start(self.full_command(arguments), **options) as server:
            server.workers = {worker.pid for worker in lab.children(server.pid)}
            try:
                yield server
            except (ConnectionError, TimeoutError, ProcessLookupError) as error:
                lab.eventually(lambda: server.exit_status is not None, 0.5)
                must_be_alive(server, "its last client")
                raise Fault("A client connected, and asked.", "The server takes that.",
                            f"{error}. {doing(server)}") from None
            finally:  # not with SIGTERM: whether it stops of that is asked once, in manners.py
                with suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)


def must_be_alive(server, after):
    """Raise Fault if the server ended, with its last words."""
    if server.exit_status is None:
        return
    words = server.stderr.strip()[-1000:] or server.stdout.strip()[-300:]
    raise Fault(f"The server had just seen {after}.", "It goes on, and serves the next.",
                f"The server ended, with status {server.exit_status}. "
                + (f"Its last output:\n{words}" if words else "It said nothing."))


def must_answer(server, subject, after):
    """Raise Fault unless the next client is answered."""
    answer = lab.ask(server.port, timeout=subject.patience, until=BODY)
    if answer.status != 200:
        lab.eventually(lambda: server.exit_status is not None, 0.5)
        must_be_alive(server, after)
        raise Fault(f"After {after}, another client asked for /hello.", "It is answered.",
                    f"It got no answer within {subject.patience:g} s "
                    f"({answer.error or answer.data[:100]}). {doing(server)}")


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


# Clients that behave badly, each a function of a port.


def connects_and_closes(port):
    lab.connect(port).close()


def connects_and_hangs_up(port):
    with lab.connect(port) as connection:
        connection.shutdown(socket.SHUT_WR)
        lab.read_until(connection, BODY)


def sends(request):
    def send(port):
        lab.ask(port, request, until=BODY, hang_up=True)
    return send


def resets_at_once(port):
    lab.reset(lab.connect(port))


def resets_in_the_middle(port):
    connection = lab.connect(port)
    connection.sendall(b"GET /hello HT")
    lab.reset(connection)


def resets_before_the_answer(port):
    connection = lab.connect(port)
    connection.sendall(lab.clients.REQUEST)
    lab.reset(connection)


def leaves_in_the_middle(port):
    with lab.connect(port) as connection:
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: loc")


def closes_before_the_answer(port):
    with lab.connect(port) as connection:
        connection.sendall(lab.clients.REQUEST)


SILENT = {
    "a client that sent nothing and closed": connects_and_closes,
    "a client that sent nothing and hung up": connects_and_hangs_up,
}
UNREADABLE = {  # what a WSGI server answers with 400
    "100 KB of random bytes": RANDOM_BYTES,
    "a request line of one word": b"GET\r\nHost: localhost\r\n\r\n",
    "a request line of four words": b"GET /hello world HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a request line of 70 KB": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header without a colon": b"GET /hello HTTP/1.1\r\nHost localhost\r\n\r\n",
    "a request cut off in the middle": b"GET /hello HTTP/1.1\r\nHost: loc",
}
GARBLED = {name: sends(request) for name, request in UNREADABLE.items()}
VANISHING = {
    "a client that reset the connection at once": resets_at_once,
    "a client that reset the connection in the middle": resets_in_the_middle,
    "a client that reset the connection before the answer": resets_before_the_answer,
    "a client that left in the middle of its request": leaves_in_the_middle,
    "a client that closed before the answer": closes_before_the_answer,
}


def survives(subject, bad_clients):
    """Each bad client in turn, and after each a good one. DELAY leaves the server time to be
    back in accept when a child ends."""
    with subject.start(DELAY=0.05) as server:
        for name, bad_client in bad_clients.items():
            with suppress(ConnectionError):  # refused: whether the server died is asked next
                bad_client(server.port)
            must_answer(server, subject, name)
            must_not_show_a_traceback(server, name)
        must_outlive_its_children(server)


def survives_silent_client(subject):
    survives(subject, SILENT)


def survives_garbled_client(subject):
    survives(subject, GARBLED)


def survives_vanishing_client(subject):
    survives(subject, VANISHING)


def serves_while_another_waits(subject):
    """Three clients connect and ask in the reverse order: a queue could not answer them."""
    with subject.start() as server, ExitStack() as stack:
        clients = [stack.enter_context(lab.connect(server.port)) for _ in range(3)]
        for number in (3, 2, 1):
            client = clients[number - 1]
            client.settimeout(subject.patience)
            client.sendall(lab.clients.REQUEST)
            try:
                answered = lab.read_until(client, b"Hello")
            except TimeoutError:
                answered = None
            if not answered:
                raise Fault("Three clients connected, and asked in the reverse order.",
                            "Each is answered, for none has to wait for those that are silent.",
                            f"Client {number} got no answer within {subject.patience:g} s. "
                            f"{doing(server)}")


def ends_the_connection(subject):
    with subject.start() as server:
        answer = lab.ask(server.port, timeout=subject.patience)
        if answer.end is None:
            raise Fault("A client asked, and read until the end.",
                        "The end comes: FIN goes out when the last copy of the connection closes.",
                        f"The client is still open {subject.patience:g} s after it connected. "
                        f"{holdings(server)}")


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


def keeps_descriptor_count(subject):
    with subject.start(DELAY=0.02) as server:
        pid = chief(server)
        before = lab.descriptor_count(pid)
        send_clients(server, subject, 20)
        if not lab.eventually(lambda: lab.descriptor_count(pid) == before, subject.patience):
            raise Fault("Twenty clients asked, one after another, and left.",
                        f"The server has {before} descriptors, as before they came.",
                        f"It had {before} at the start, and 20 clients later "
                        f"{lab.descriptor_count(pid)}. {holdings(server)}")


def lives_on_256_descriptors(subject):
    with subject.start(files=256, DELAY=0.001) as server:
        send_clients(server, subject, 300)


def send_clients(server, subject, clients):
    """One after another; each leaves once it has its answer. Raise Fault if the server dies."""
    for _ in range(clients):
        try:
            with lab.connect(server.port, timeout=subject.patience) as connection:
                connection.sendall(lab.clients.REQUEST)
                connection.recv(1024)
        except ConnectionError:
            break
    must_outlive_its_children(server)


def leaves_no_zombie_after_one(subject):
    leaves_no_zombie(subject, 1)


def leaves_no_zombie_after_128(subject):
    leaves_no_zombie(subject, 128)


def leaves_no_zombie(subject, clients):
    """The clients connect, then the server is stopped while its children answer and end: when
    it goes on, one pending SIGCHLD stands for all of them."""
    with subject.start() as server, ExitStack() as stack:
        pid = chief(server)
        workers = settled(lambda: len(lab.children(pid)))
        connections = [stack.enter_context(lab.connect(server.port))]
        if not lab.eventually(lambda: len(lab.children(pid)) > workers, 0.5):
            return  # a server without children for its clients leaves no zombies
        connections += [stack.enter_context(lab.connect(server.port)) for _ in range(clients - 1)]
        if not comes_to(workers + clients, lambda: len(lab.children(pid)), subject.patience):
            raise Fault(f"{clients} clients connected.", "Each is served by a child of its own.",
                        f"Children: {len(lab.children(pid)) - workers}. {doing(server)}")
        let_them_end(pid, connections, workers, subject)
        none_left = lab.eventually(lambda: not lab.zombies(pid), subject.patience)
        must_outlive_its_children(server)
        if not none_left:
            left = len(lab.zombies(pid))
            raise Fault(f"{clients} children ended, while process {pid} was stopped; "
                        "then it went on.", "It waits for each of them, and none is left.",
                        f"{left} zombie{'s' * (left > 1)} of {clients} children stayed.")


def let_them_end(pid, connections, workers, subject):
    """Stop a server until all of its children but the workers have answered and ended."""
    os.kill(pid, signal.SIGSTOP)
    for connection in connections:
        connection.sendall(lab.clients.REQUEST)
    ended = comes_to(workers, lambda: len(alive(lab.children(pid))), subject.patience)
    os.kill(pid, signal.SIGCONT)
    if not ended:
        raise Fault(f"{len(connections)} clients, each with a child of its own, asked.",
                    "Each child answers and ends, while its parent is stopped.",
                    "Of those some still run.")


def settled(count):
    """What count() is, when it has not changed for a tenth of a second."""
    before, after = None, count()
    while before != after:
        time.sleep(0.1)
        before, after = after, count()
    return after


def comes_to(target, count, patience):
    """Whether count() comes to the target; it may take long, but not stand still for so long."""
    while (before := count()) != target:
        if not lab.eventually(lambda before=before: count() != before, patience):
            return False
    return True


def lives_through_signal(subject):
    """A client's child ends while the server waits in accept. Then comes the next client."""
    with subject.start(DELAY=0.1) as server:
        for number in range(1, 4):
            must_answer(server, subject, f"the end of {number - 1} children")
            must_outlive_its_children(server)


def lives_without_processes(subject):
    """At most 20 processes, 40 silent clients; they leave, and the next one is served."""
    with subject.start(processes=20) as server:
        with ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(nonblocking(server.port))
            lab.eventually(lambda: server.exit_status is not None, 0.5)
        must_answer(server, subject, "40 silent clients, with at most 20 processes")


def runs_wsgi(subject):
    with subject.start(APPLICATION) as server:
        body = lab.ask(server.port, timeout=subject.patience).body
        if body != b"Hello world from a simple WSGI application!\n":
            raise Fault("Started with the argument part2.wsgiapp:app, the server was asked for "
                        "/hello.", "The application's body, b'Hello world from a simple WSGI "
                        "application!\\n', and the end.",
                        f"It did not answer as the application does, but with {body!r}.")


def complete_pep3333(subject):
    """tests/pep3333app.py uses what PEP 3333 promises, and names what it did not get."""
    request = (b"POST /a%20b?c=d%20e HTTP/1.1\r\nHost: localhost\r\nX-Probe: 1\r\n"
               b"Content-Length: 4\r\nConnection: close\r\n\r\nbody")
    with subject.start(PROBE) as server:
        answer = lab.ask(server.port, request, timeout=subject.patience)
        report = re.search(rb"missing: (.*)\.", answer.body)
        done = "Started with the argument tests.pep3333app:app, the server was sent a POST."
        if not report:
            raise Fault(done, "The application's body, which names what it missed.",
                        "The server did not answer as the application does, but with "
                        f"{answer.body[:200]!r}.")
        missing = report[1].decode().split(", ") if report[1] else []
        if b"written first" not in answer.body:
            missing.append("write()")
        if not lab.eventually(lambda: "the iterable was closed" in server.stderr, 1):
            missing.append("close()")
        if answer.status != 203:
            missing.append("exc_info")
        if missing:
            raise Fault(done, "The application gets all that PEP 3333 promises.",
                        f"It missed {', '.join(missing)}.")


ASKED_TWICE = ("A client of HTTP/1.1 asked twice on one connection.", "Two answers.")


def keeps_alive(subject):
    """Two requests on one connection; the first answer has a Content-Length."""
    request = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with subject.start(APPLICATION) as server, \
            lab.connect(server.port, timeout=subject.patience) as connection:
        connection.sendall(request)
        lab.read_until(connection, b"!\n")
        try:
            connection.sendall(request)
            answer = lab.read_until(connection, b"!\n")
        except TimeoutError:
            raise Fault(*ASKED_TWICE, "The second request got no answer.") from None
        except ConnectionError:
            answer = b""
        if not answer:
            raise Fault(*ASKED_TWICE, "The server closed the connection after its first answer.")


def holds_5000_idle(subject, connections=5000, first=100):
    """Idle connections, a few and then all: the next client is served all the same, and none of
    them costs a process or a thread."""
    with subject.start() as server, ExitStack() as stack:
        before = tasks(server)
        idle = []
        for number in range(1, connections + 1):
            idle.append(stack.enter_context(nonblocking(server.port)))
            if number in (first, connections):
                must_answer(server, subject, f"{number} clients connected and fell silent")
                if tasks(server) - before > first // 2:
                    raise Fault(f"{number} clients connected and fell silent.",
                                "They cost no process and no thread.",
                                f"It has {tasks(server)} processes and threads, and had {before} "
                                "before: a process or a thread for each connection.")
        if not lab.eventually(lambda: all(map(is_connected, idle)), subject.patience):
            raise Fault(f"{connections} clients connected and fell silent.", "All are let in.",
                        f"{sum(map(is_connected, idle))} of them were.")


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


CHECKS = {name: globals()[name] for name in PROPERTIES}


def subject_of(stage, patience=20):
    """One of the project's stages as a Subject."""
    return Subject(lab.stage_command(stage.name), APPLICATION if stage.wsgi else (), patience)


