"""The checks of what a single stage teaches: what no column of the table says."""

import os
import random
import signal
import sys
import time
from contextlib import ExitStack, suppress
from functools import partial

import lab
from tests.spec.subject import (
    BODY,
    Fault,
    alive,
    chief,
    doing,
    freeze,
    holdings,
    is_connected,
    living,
    must_answer,
    must_be_alive,
    must_outlive_its_children,
    nonblocking,
    settled,
    silent_clients,
    tasks,
)


def queues_five(subject):
    """One client is in the server's hands; then so many come as listen(5) has room for."""
    room = 6 if sys.platform.startswith("linux") else 5  # Linux holds one more than it is told
    with subject.start() as server, silent_clients(server, 1), ExitStack() as stack:
        with suppress(lab.CannotSee):
            lab.eventually(lambda: not lab.listeners(server.port)[0].waiting)
        for number in range(room):
            client = stack.enter_context(nonblocking(server.port))
            if not lab.eventually(partial(is_connected, client), subject.patience):
                raise Fault(f"One client was with the server, and silent; {room} more came.",
                            "The kernel lets all of them in: that is the queue of listen(5).",
                            f"{number} of those {room} were let in.")


def sleeps_after_answer(subject, seconds=1.5):
    """No whole number: who takes it for one sleeps too short."""
    (_, at_once), (answered, later) = (times_of_answer(subject, delay) for delay in (0, seconds))
    if not seconds - 0.3 <= later - at_once <= seconds + 1:
        raise Fault(f"The server was started with DELAY=0, and with DELAY={seconds}; a client "
                    "asked, and read until the end.",
                    f"The end comes with the answer, and {seconds} s after it.",
                    f"It came {at_once:.2f} s after the answer, and {later:.2f} s after it. With "
                    f"DELAY={seconds} the last byte of the answer came after {answered:.2f} s.")


def times_of_answer(subject, delay):
    """The seconds until the last byte of an answer, and from there to the end of its connection."""
    with subject.start(DELAY=delay) as server:
        answer = lab.ask(server.port, timeout=subject.patience + delay)
        if answer.status != 200 or answer.end is None:
            raise Fault(f"With DELAY={delay} in the server's environment, a client asked, and read "
                        "until the end.", "The answer at once, and the end of the connection "
                        f"{delay} s later.", f"{answer}. {holdings(server)}")
        slept = answer.end - answer.last_byte
        if slept < delay / 2:
            lab.eventually(lambda: server.exit_status is not None, 0.5)
            must_be_alive(server, f"a client that asked, with DELAY={delay}")
        return answer.last_byte, slept


def sleeps_side_by_side(subject):
    """Two clients come at once: both have an answer before either sleep is over."""
    with subject.start(DELAY=1) as server:
        answers = lab.ask_at_once(server.port, 2, timeout=min(subject.patience, 5) + 1)
        first, second = sorted(answers, key=lambda answer: answer.last_byte or 60)
        if second.last_byte is None:
            raise Fault(*TWO_SLEEPS, f"One of them got no answer within "
                        f"{min(subject.patience, 5) + 1:g} s. {doing(server)}")
        if first.last_byte - first.first_byte > 0.5:
            raise Fault(*TWO_SLEEPS, f"An answer began after {first.first_byte:.2f} s, and its "
                        f"last byte came {first.last_byte - first.first_byte:.2f} s later.")
        if first.end is not None and first.end - first.last_byte < 0.5:
            raise Fault(*TWO_SLEEPS, "The connection closed "
                        f"{first.end - first.last_byte:.2f} s after the answer: nobody slept.")
        if first.end is not None and first.end < second.last_byte + 0.3:
            raise Fault(*TWO_SLEEPS, f"The second was answered after {second.last_byte:.2f} s, "
                        f"when the first was done, after {first.end:.2f} s.")


def count_to_the_end(connection):
    """How many bytes come until the end of a connection, or its reset."""
    size = 0
    with suppress(ConnectionError):
        while block := connection.recv(1 << 20):
            size += len(block)
    return size


TWO_SLEEPS = ("With DELAY=1 in the server's environment, two clients asked at the same time.",
              "Both are answered at once, and the two sleeps overlap.")


def a_process_for_each(subject):
    with subject.start() as server:
        before = living(server)
        with silent_clients(server):
            lab.eventually(lambda: len(living(server) - before) >= 3, subject.patience)
            new = len(living(server) - before)
            if new != 3:
                raise Fault("Three clients connected.", "Three more processes.",
                            f"{new} more. {doing(server)}")
        if not lab.eventually(lambda: not living(server) - before, subject.patience):
            raise Fault("Three clients connected, each with a process, and left.",
                        "Each process ends when its client is served.",
                        f"{len(living(server) - before)} of them still run.")


def answers_bursts(subject, clients=5, times=20):
    """So many clients come at once, again and again: they ask while the server is stopped, so that
    it finds all of them when it goes on. On one core a child often ends before fork returns."""
    with subject.start() as server:
        pid = chief(server)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(pid, [random.choice(list(os.sched_getaffinity(0)))])
        for number in range(1, times + 1):
            answered = burst(pid, server.port, clients, subject.patience)
            if answered < clients:
                lab.eventually(lambda: server.exit_status is not None, 0.5)
                must_be_alive(server, f"{clients} clients at once, for the {ordinal(number)} time")
                raise Fault(f"{clients} clients asked at once, for the {ordinal(number)} time.",
                            "Each is answered.", f"{answered} were, within "
                            f"{subject.patience:g} s. {doing(server)}")
        must_outlive_its_children(server)


def burst(pid, port, clients, patience):
    """How many clients are answered that connect and ask while a process is stopped."""
    freeze(pid)
    answered = 0
    with ExitStack() as stack:
        try:
            together = [stack.enter_context(lab.connect(port, timeout=patience))
                        for _ in range(clients)]
            for client in together:
                client.sendall(lab.clients.REQUEST)
        finally:
            os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + patience
        for client in together:
            client.settimeout(max(0.01, deadline - time.monotonic()))
            with suppress(OSError):  # no answer within our patience, or a reset
                answered += b"200" in lab.read_until(client, BODY)
    return answered


def ordinal(number):
    """1st, 2nd, 3rd, 4th and so on, up to 20th."""
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th')}"


def gives_the_port_back(subject):
    """What the kernel closes for the dead parent is closed only if no child holds it as well."""
    with subject.start() as server, silent_clients(server, 1):
        pid = chief(server)
        if not lab.eventually(lambda: lab.children(pid), subject.patience):
            raise Fault("A client connected.", "A child that serves it.",
                        f"Process {pid} has no child.")
        os.kill(pid, signal.SIGKILL)
        if not lab.eventually(lambda: not server.listens(), subject.patience):
            raise Fault("A client was connected and silent, and the server was killed, by kill -9: "
                        "its child goes on.", "Nobody listens any more: the server can be started "
                        "again.", f"{who_listens(server)} Port {server.port} stays taken as long "
                        "as that client is there.")


def who_listens(server):
    """A sentence on who of a server listens, for evidence."""
    found = {pid for listener in lab.listeners(server.port)
             for pid, _ in lab.holders(listener.inode, server.members())}
    return f"Process {min(found)} still listens." if found else "Somebody still listens."


def no_process_for_each(subject):
    with subject.start() as server:
        before = living(server)
        with silent_clients(server):
            lab.eventually(lambda: living(server) - before, 0.5)
            new = len(living(server) - before)
            if new:
                raise Fault("Three clients connected.", "No process for any of them.",
                            f"{new} more process{'es' * (new > 1)}.")


def a_thread_for_each(subject, clients=40):
    with subject.start() as server:
        pid = chief(server)
        before = lab.thread_count(pid)

        def more():
            return lab.thread_count(pid) - before

        with silent_clients(server, clients):
            if not lab.eventually(lambda: more() >= clients, subject.patience):
                raise Fault(f"{clients} clients connected.",
                            f"{clients} more threads in the same process.",
                            f"{more()} more thread{'s' * (more() != 1)} in process {pid}.")


def serves_beside_forty(subject, clients=40):
    """More clients are silent than it has threads in advance: no pool is large enough."""
    with subject.start() as server:
        clients = max(clients, min(tasks(server) + 10, 500))
        with silent_clients(server, clients):
            must_answer(server, subject, f"{clients} clients connected and were silent")


def threads_end(subject, clients=40):
    """One client gets an answer, the others leave without a word."""
    with subject.start() as server:
        pid = chief(server)
        before = lab.thread_count(pid)
        with silent_clients(server, clients) as connected:
            lab.eventually(lambda: lab.thread_count(pid) - before >= clients, 0.5)
            connected[0].settimeout(subject.patience)
            connected[0].sendall(lab.clients.REQUEST)
            lab.read_until(connected[0], BODY)
        few = before + 5  # what a language does for itself
        if not lab.eventually(lambda: lab.thread_count(pid) <= few, subject.patience):
            raise Fault(f"{clients} clients connected, and left.",
                        "Each thread ends when its client is served.",
                        f"Process {pid} had {before} thread{'s' * (before > 1)} before they came, "
                        f"and has {lab.thread_count(pid)} now.")


def sends_long_answers(subject):
    """14 MB for a client that does not read at first: no kernel holds that much for it."""
    with subject.start(TIMES=1_000_000) as server:
        with lab.connect(server.port, timeout=subject.patience) as client:
            client.sendall(lab.clients.REQUEST)
            head = lab.read_until(client, BODY)
            must_answer(server, subject, "a client that read slowly")
            came = len(head) + count_to_the_end(client)
        if came < 14_000_000:
            raise Fault("With TIMES=1000000 in the server's environment, a client asked, and read "
                        "slowly.", "The head, and Hello, World! a million times: 14 MB.",
                        f"{came} bytes came, and then the end.")


def reaps_when_told(subject):
    """Two clients, one after the other: a handler is there for more than one signal.

    It may cost the server its accept, and its life: of EINTR, and nothing else."""
    with subject.start() as server:
        pid = chief(server)
        for done in ("A client was served, and its child ended.",
                     "A second client was served, and its child ended."):
            child = child_that_served(server, subject, pid)
            lab.eventually(lambda child=child: server.exit_status is not None
                           or not lab.process(child), subject.patience)
            lab.eventually(lambda: server.exit_status is not None, 0.2)
            if server.exit_status is not None and "Interrupted system call" in server.stderr:
                return  # lives_through_signal asks about that
            must_be_alive(server, "a child end")
            if child in {zombie.pid for zombie in lab.zombies(pid)}:
                raise Fault(done, "Its parent is told, waits for it, and it is gone.",
                            f"It is a zombie: process {child}. {doing(server)}")


def child_that_served(server, subject, pid):
    """The PID of the child of a process that served a client, which is gone now."""
    before = {child.pid for child in lab.children(pid)}

    def new():
        return [child.pid for child in lab.children(pid) if child.pid not in before]

    with lab.connect(server.port, timeout=subject.patience) as client:
        children = lab.eventually(new, subject.patience)
        if not children:
            raise Fault("A client connected.", "A child that serves it.",
                        f"Process {pid} has no new child.")
        client.sendall(lab.clients.REQUEST)
        lab.read_until(client, BODY)
    return children[0]


def forks_for_clients_only(subject, clients=10):
    """Each client's child ends while the parent is in accept, which EINTR ends. Who forks then
    forks a child for nobody; it ends as well, and the next EINTR comes."""
    with subject.start() as server, silent_clients(server, clients) as connected:
        pid = chief(server)
        if not lab.eventually(lambda: len(lab.children(pid)) >= clients, subject.patience):
            raise Fault(f"{clients} clients connected.", "A child for each of them.",
                        f"Process {pid} has {len(lab.children(pid))}.")
        before = settled(lambda: lab.wakeups(pid))
        for number, client in enumerate(connected):
            client.close()
            if not lab.eventually(lambda left=clients - number: len(lab.children(pid)) < left,
                                  subject.patience):
                break  # it does not wait for its children, or there is no end of them
        must_be_alive(server, "its clients leave")
        woken = lab.wakeups(pid) - before
        if woken > 2 * clients:
            raise Fault(f"{clients} clients were connected, and left one after another.",
                        "The signal of each child's end wakes the parent once, and it goes back to "
                        "accept.", f"Process {pid} woke up {woken} times: it forked where accept "
                        "had failed, and each of these children sent a signal, too.")


def sleeps_until_told(subject, seconds=2.2):
    """A child lives, for its client is silent. The parent has asked for SIGCHLD, and wakes for
    nothing else: not even once a second."""
    with subject.start() as server, silent_clients(server, 1):
        pid = chief(server)
        lab.eventually(lambda: lab.children(pid), subject.patience)
        if signal.SIGCHLD in lab.ignored_signals(pid):
            raise Fault(*TOLD, f"Process {pid} ignores SIGCHLD: the kernel buries its children, "
                        "and nobody learns how they ended.")
        if signal.SIGCHLD not in lab.caught_signals(pid):
            raise Fault(*TOLD, f"Process {pid} has no handler for SIGCHLD, and does not wait for "
                        "it in another way.")
        before = settled(lambda: lab.wakeups(pid))
        time.sleep(seconds)
        woken = lab.wakeups(pid) - before
        if woken > 1:
            raise Fault(*TOLD, f"Nothing happened for {seconds} s, and process {pid} woke up "
                        f"{woken} times.")


TOLD = ("A client connected and was silent, so that its child lives.",
        "The parent sleeps until the signal of a child's end, SIGCHLD, wakes it.")


def waits_for_the_dead_only(subject):
    """One child lives, for its client is silent; another ends; and then a client comes."""
    with subject.start() as server, silent_clients(server, 1):
        pid = chief(server)
        lab.eventually(lambda: lab.children(pid), subject.patience)
        must_answer(server, subject, "one client that is silent")
        lab.eventually(lambda: len(alive(lab.children(pid))) == 1, subject.patience)
        lab.eventually(lambda: server.exit_status is not None, 0.2)
        must_be_alive(server, "one child end, while another lives")
        must_answer(server, subject, "one child ended, while another lives")


def workers_in_advance(subject):
    with subject.start() as server:
        pid = chief(server)
        if not lab.eventually(lambda: lab.children(pid), subject.patience):
            raise Fault("The server was started, and no client came.",
                        "It has workers: processes that wait for clients.",
                        f"Process {pid} has no child.")
        must_answer(server, subject, "the start")  # all of the workers are there by now
        before = living(server)
        with silent_clients(server):
            lab.eventually(lambda: living(server) - before, 0.5)
            new = len(living(server) - before)
            if new:
                raise Fault("Three clients connected.", "No new process: the workers were there.",
                            f"{new} more process{'es' * (new > 1)}.")
        for _ in range(3):
            lab.reset(lab.connect(server.port))
            must_answer(server, subject, "a client that reset its connection")
        if before != living(server):
            raise Fault("Three clients connected, and left without a word; three more reset their "
                        "connections at once.", "The workers outlive that.",
                        f"Of {len(before)} processes {len(before - living(server))} ended.")


def replaces_a_worker(subject):
    """One is killed; then two, at a moment when one signal stands for both."""
    with subject.start() as server:
        must_answer(server, subject, "the start")
        workers = alive(lab.children(chief(server)))
        if not workers:
            raise Fault("The server was started.", "It has workers.",
                        f"Process {chief(server)} has no child.")
        must_replace(server, subject, workers[:1], "A worker was killed.")
        workers = alive(lab.children(chief(server)))
        must_replace(server, subject, workers[:2], "A worker was killed and replaced. Then "
                     f"{len(workers[:2])} more were killed at once.")
        must_answer(server, subject, "three of its workers were killed")


def must_replace(server, subject, victims, done):
    """Kill some workers while the parent is stopped. Raise Fault unless others take their place."""
    pid = chief(server)
    workers, killed = len(alive(lab.children(pid))), {victim.pid for victim in victims}
    freeze(pid)
    for victim in killed:
        os.kill(victim, signal.SIGKILL)
    lab.eventually(lambda: not killed & {child.pid for child in alive(lab.children(pid))},
                   subject.patience)
    os.kill(pid, signal.SIGCONT)
    if not lab.eventually(lambda: len(alive(lab.children(pid))) == workers, subject.patience):
        must_be_alive(server, "some of its workers killed")
        raise Fault(done, f"Others take their place: {workers} workers.",
                    f"{len(alive(lab.children(pid)))} workers are left.")
    if not lab.eventually(lambda: not lab.zombies(pid), subject.patience):
        raise Fault(done, "Their parent waits for the dead.",
                    f"Process {lab.zombies(pid)[0].pid} is a zombie.")


def ends_its_children(subject, within=8):
    """kill goes to the server alone. It may give those in flight a few seconds."""
    with subject.start() as server, silent_clients(server, 2):
        pid = chief(server)
        lab.eventually(lambda: len(lab.children(pid)) >= 2, 0.3)
        family = living(server)
        os.kill(pid, signal.SIGTERM)
        if not lab.eventually(lambda: not family & living(server), within):
            left = len(family & living(server))
            raise Fault("kill was sent to the server, with two clients connected.",
                        "It stops, and no child outlives it.",
                        f"{within} s later {left} of its {len(family)} processes still run.")
