"""One check for each property of tests/stages.py, from outside: sockets and the process table.

A check is called with the command of a server. It returns if the server has the property, and
raises Fault, with the evidence, if it has not. Whatever it started has ended then.
"""

import os
import re
import signal
import socket
from contextlib import ExitStack, suppress

import lab
from stages import PROPERTIES

APPLICATION = ["part2.wsgiapp:app"]
PROBE = ["tests.pep3333app:app"]
BODY = b"\r\n\r\n"  # the empty line before the body: an answer is there, if not the end of it
RANDOM_BYTES = bytes(byte * byte % 251 for byte in range(100_000))


class Fault(AssertionError):
    """The server lacks the property; the message says what was done, expected and seen."""


class Subject:
    """A server under test: how to start it, and how long to wait for what ought to come.

    arguments   what the command wants, such as an application, where a check names none
    patience    seconds
    """

    def __init__(self, command, arguments=(), patience=20):
        self.command = command
        self.arguments = arguments
        self.patience = patience

    def start(self, arguments=(), **options):
        command = [*self.command, *(arguments or self.arguments)]
        return lab.start(command, **{"DELAY": 0, **options})


def must_be_alive(server, after):
    """Raise Fault if the server ended, with its last words."""
    if server.exit_status is not None:
        raise Fault(f"The server died after {after}, with status {server.exit_status}. "
                    f"Its last output:\n{server.stderr[-1000:]}")


def must_answer(server, subject, after):
    """Raise Fault unless the next client is answered."""
    answer = lab.ask(server.port, timeout=subject.patience, until=BODY)
    if answer.status != 200:
        lab.eventually(lambda: server.exit_status is not None, 1)
        must_be_alive(server, after)
        raise Fault(f"After {after}, the next client got no answer within {subject.patience} s "
                    f"({answer.error or answer.data[:100]}).")


def must_outlive_its_children(server):
    """Raise Fault if the server dies when the last of its children has ended."""
    lab.eventually(lambda: server.exit_status is not None or not alive(lab.children(server.pid)))
    lab.eventually(lambda: server.exit_status is not None, 0.2)
    must_be_alive(server, "one of its children ended")


def alive(processes):
    return [process for process in processes if process.state != "zombie"]


def answers(subject):
    with subject.start() as server:
        answer = lab.ask(server.port, timeout=subject.patience, until=BODY)
        if answer.status != 200:
            raise Fault(f"Asked for /hello, the server answered {answer.data!r} ({answer.error}).")


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
                raise Fault(f"Three clients connected; client {number} asked before those that "
                            f"came earlier, and got no answer within {subject.patience} s.")


def ends_the_connection(subject):
    with subject.start() as server:
        answer = lab.ask(server.port, timeout=subject.patience)
        if answer.end is None:
            raise Fault(f"The client is still open {subject.patience} s after it connected. "
                        f"FIN goes out when the last copy closes. {holdings(server)}")


def holdings(server):
    """A sentence on the descriptors of a server, for evidence."""
    try:
        return f"Process {server.pid} holds: {lab.descriptors(server.pid)}."
    except lab.CannotSee as reason:
        return str(reason)


def keeps_descriptor_count(subject):
    with subject.start(DELAY=0.02) as server:
        before = lab.descriptor_count(server.pid)
        send_clients(server, subject, 20)
        if not lab.eventually(lambda: lab.descriptor_count(server.pid) == before, subject.patience):
            raise Fault(f"The server had {before} descriptors at the start, and 20 clients later "
                        f"{lab.descriptor_count(server.pid)}. {holdings(server)}")


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
        connections = [stack.enter_context(lab.connect(server.port))]
        if not lab.eventually(lambda: lab.children(server.pid), 0.5):
            return  # a server without children leaves no zombies
        connections += [stack.enter_context(lab.connect(server.port)) for _ in range(clients - 1)]
        lab.eventually(lambda: len(lab.children(server.pid)) == clients)
        os.kill(server.pid, signal.SIGSTOP)
        for connection in connections:
            connection.sendall(lab.clients.REQUEST)
        ended = lab.eventually(lambda: len(lab.zombies(server.pid)) == clients)
        assert ended, f"{clients} clients asked, but not all of the children ended."
        os.kill(server.pid, signal.SIGCONT)
        none_left = lab.eventually(lambda: not lab.zombies(server.pid), subject.patience)
        must_outlive_its_children(server)
        if not none_left:
            left = len(lab.zombies(server.pid))
            raise Fault(f"{left} zombie{'s' * (left > 1)} of {clients} children stayed; "
                        f"see: ps -o pid,ppid,stat,args --ppid {server.pid}")


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
                connection = stack.enter_context(socket.socket())
                connection.setblocking(False)  # a full queue makes connect wait
                connection.connect_ex(("127.0.0.1", server.port))
            lab.eventually(lambda: server.exit_status is not None, 0.5)
        must_answer(server, subject, "40 silent clients, with at most 20 processes")


def runs_wsgi(subject):
    with subject.start(APPLICATION) as server:
        body = lab.ask(server.port, timeout=subject.patience).body
        if body != b"Hello world from a simple WSGI application!\n":
            raise Fault(f"Given part2.wsgiapp:app, the server did not answer as the application "
                        f"does, but with {body!r}.")


def complete_pep3333(subject):
    """tests/pep3333app.py uses what PEP 3333 promises, and names what it did not get."""
    request = (b"POST /a%20b?c=d%20e HTTP/1.1\r\nHost: localhost\r\nX-Probe: 1\r\n"
               b"Content-Length: 4\r\nConnection: close\r\n\r\nbody")
    with subject.start(PROBE) as server:
        answer = lab.ask(server.port, request, timeout=subject.patience)
        report = re.search(rb"missing: (.*)\.", answer.body)
        if not report:
            raise Fault(f"Given tests.pep3333app:app, the server did not answer as the "
                        f"application does, but with {answer.body[:200]!r}.")
        missing = report[1].decode().split(", ") if report[1] else []
        if b"written first" not in answer.body:
            missing.append("write()")
        if not lab.eventually(lambda: "the iterable was closed" in server.stderr, 1):
            missing.append("close()")
        if answer.status != 203:
            missing.append("exc_info")
        if missing:
            raise Fault(f"PEP 3333 promises more than the application got: {', '.join(missing)}.")


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
            raise Fault("The second request on a connection got no answer.") from None
        except ConnectionError:
            answer = b""
        if not answer:
            raise Fault("The server closed the connection after its first answer.")


def holds_5000_idle(subject, connections=5000, first=100):
    """Idle connections, a few and then all: the next client is served all the same, and none of
    them costs a process or a thread."""
    with subject.start() as server, ExitStack() as stack:
        before = tasks(server)
        idle = []
        for number in range(1, connections + 1):
            idle.append(stack.enter_context(socket.socket()))
            idle[-1].setblocking(False)
            idle[-1].connect_ex(("127.0.0.1", server.port))
            if number in (first, connections):
                must_answer(server, subject, f"{number} clients connected and fell silent")
                if tasks(server) - before > first // 2:
                    raise Fault(f"The server has {tasks(server)} tasks for {number} idle clients, "
                                f"and had {before} before: a process or a thread for each "
                                "connection.")
        if not lab.eventually(lambda: all(map(is_connected, idle)), subject.patience):
            raise Fault(f"Of {connections} idle clients only {sum(map(is_connected, idle))} were "
                        "let in.")


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


