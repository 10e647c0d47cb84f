"""Checks with more than one client, or one after another: whom it serves, what is left."""

import os
import signal
from contextlib import ExitStack, suppress

import lab
from tests.spec.clients import rude_clients
from tests.spec.subject import (
    Fault,
    alive,
    chief,
    comes_to,
    doing,
    freeze,
    holdings,
    is_connected,
    must_answer,
    must_outlive_its_children,
    nonblocking,
    settled,
    silent_clients,
    tasks,
)


def serves_while_another_waits(subject):
    """Clients connect, and ask in the reverse order: a queue could not answer them. Then some say
    half of what they want, and another asks."""
    with subject.start() as server, silent_clients(server, as_many_as_work(server)) as clients:
        done = f"{len(clients)} clients connected, and asked in the reverse order."
        for number in range(len(clients), 0, -1):
            must_be_served(server, subject, clients, number, done)
    with subject.start() as server, silent_clients(server, as_many_as_work(server)) as clients:
        for client in clients[:-1]:
            client.sendall(HALF)
        done = f"{len(clients) - 1} clients sent half a request each, and then another asked."
        must_be_served(server, subject, clients, len(clients), done)


HALF = b"GET /hello HTTP/1.1\r\nHost: loc"


def as_many_as_work(server):
    """Three clients; where there are workers in advance, no more than these, but two at least."""
    workers = settled(lambda: len(alive(lab.children(chief(server)))))
    return max(2, min(workers, 3)) if workers else 3


def must_be_served(server, subject, clients, number, done):
    """Let one of the clients ask. Raise Fault unless it is answered."""
    client = clients[number - 1]
    client.settimeout(subject.patience)
    client.sendall(lab.clients.REQUEST)
    try:
        answered = lab.read_until(client, b"Hello")
    except TimeoutError:
        answered = None
    if not answered:
        raise Fault(done, "Each is answered, for none has to wait for those that are silent.",
                    f"Client {number} got no answer within {subject.patience:g} s. "
                    f"{doing(server)}")


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
        with suppress(ConnectionError):
            rude_clients(server.port)
        must_answer(server, subject, "clients that said nothing, or left in the middle")
        if not lab.eventually(lambda: lab.descriptor_count(pid) == before, subject.patience):
            raise Fault("Clients came that said nothing, or left in the middle.",
                        f"When they are gone, the server has {before} descriptors, as before.",
                        f"It has {lab.descriptor_count(pid)}. {holdings(server)}")


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
    freeze(pid)
    for connection in connections:
        connection.sendall(lab.clients.REQUEST)
    ended = comes_to(workers, lambda: len(alive(lab.children(pid))), subject.patience)
    os.kill(pid, signal.SIGCONT)
    if not ended:
        raise Fault(f"{len(connections)} clients, each with a child of its own, asked.",
                    "Each child answers and ends, while its parent is stopped.",
                    f"{len(alive(lab.children(pid))) - workers} of these children still run.")


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


def holds_5000_idle(subject, connections=5000, first=100):
    """Idle connections, a few and then all: the next client is served all the same, and none of
    them costs a process or a thread."""
    with subject.start() as server, ExitStack() as stack:
        before = tasks(server)
        idle = []
        for number in range(1, connections + 1):
            idle.append(stack.enter_context(nonblocking(server.port)))
            if number in (first, connections):
                settled(lambda: sum(map(lab.descriptor_count, server.members())))  # all let in
                must_answer(server, subject, f"{number} clients connected and fell silent")
                if tasks(server) - before > first // 2:
                    raise Fault(f"{number} clients connected and fell silent.",
                                "They cost no process and no thread.",
                                f"It has {tasks(server)} processes and threads, and had {before} "
                                "before: a process or a thread for each connection.")
        if not lab.eventually(lambda: all(map(is_connected, idle)), subject.patience):
            raise Fault(f"{connections} clients connected and fell silent.", "All are let in.",
                        f"{sum(map(is_connected, idle))} of them were.")


