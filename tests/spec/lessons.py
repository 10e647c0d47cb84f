"""The checks of what a single stage teaches: what no column of the table says."""

import os
import signal
from contextlib import ExitStack
from functools import partial

import lab
from tests.spec.subject import (
    Fault,
    alive,
    chief,
    doing,
    holdings,
    is_connected,
    living,
    must_answer,
    must_be_alive,
    nonblocking,
    silent_clients,
)


def queues_five(subject):
    """One client is in the server's hands, or first in the queue; five more come."""
    with subject.start() as server, ExitStack() as stack:
        for number in range(6):
            client = stack.enter_context(nonblocking(server.port))
            if not lab.eventually(partial(is_connected, client), subject.patience):
                raise Fault("One client connected and was silent; five more came.",
                            "The kernel lets all of them in: five wait in the queue.",
                            f"{number} of the 6 were let in.")


def sleeps_after_answer(subject):
    at_once, later = (seconds_to_the_end(subject, delay) for delay in (0, 1))
    if not 0.5 <= later - at_once <= 2:
        raise Fault("The server was started with DELAY=0, and with DELAY=1; a client asked, and "
                    "read until the end.",
                    "The end comes with the answer, and one second after it.",
                    f"It came {at_once:.2f} s after the answer, and {later:.2f} s after it.")


def seconds_to_the_end(subject, delay):
    """The seconds between an answer, and the end of its connection."""
    with subject.start(DELAY=delay) as server:
        answer = lab.ask(server.port, timeout=subject.patience + delay)
        if answer.status != 200 or answer.end is None:
            raise Fault(f"With DELAY={delay} in the server's environment, a client asked, and read "
                        "until the end.", "The answer at once, and the end of the connection "
                        f"{delay} s later.", f"{answer}. {holdings(server)}")
        return answer.end - answer.first_byte


def sleeps_side_by_side(subject):
    """Two clients come at once: both have an answer before either sleep is over."""
    with subject.start(DELAY=1) as server:
        answers = lab.ask_at_once(server.port, 2, timeout=min(subject.patience, 5) + 1)
        first, second = sorted(answers, key=lambda answer: answer.first_byte or 60)
        if second.first_byte is None:
            raise Fault(*TWO_SLEEPS, f"One of them got no answer within "
                        f"{min(subject.patience, 5) + 1:g} s. {doing(server)}")
        if first.end is not None and first.end - first.first_byte < 0.5:
            raise Fault(*TWO_SLEEPS, "The connection closed "
                        f"{first.end - first.first_byte:.2f} s after the answer: nobody slept.")
        if first.end is not None and first.end < second.first_byte + 0.3:
            raise Fault(*TWO_SLEEPS, f"The second was answered after {second.first_byte:.2f} s, "
                        f"when the first was done, after {first.end:.2f} s.")


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


def no_process_for_each(subject):
    with subject.start() as server:
        before = living(server)
        with silent_clients(server):
            lab.eventually(lambda: living(server) - before, 0.5)
            new = len(living(server) - before)
            if new:
                raise Fault("Three clients connected.", "No process for any of them.",
                            f"{new} more process{'es' * (new > 1)}.")


def a_thread_for_each(subject):
    with subject.start() as server:
        pid = chief(server)
        before = lab.thread_count(pid)
        with silent_clients(server):
            if not lab.eventually(lambda: lab.thread_count(pid) - before >= 3, subject.patience):
                raise Fault("Three clients connected.", "Three more threads in the same process.",
                            f"{lab.thread_count(pid) - before} more threads in process {pid}.")


def reaps_when_told(subject):
    """The handler may cost the server its accept, and its life: of EINTR, and nothing else."""
    with subject.start() as server:
        pid = chief(server)
        with lab.connect(server.port, timeout=subject.patience) as client:
            if not lab.eventually(lambda: lab.children(pid), subject.patience):
                raise Fault("A client connected.", "A child that serves it.",
                            f"Process {pid} has no child.")
            client.sendall(lab.clients.REQUEST)
            lab.read_until(client, b"\r\n\r\n")
            lab.eventually(lambda: server.exit_status is not None or not lab.children(pid),
                           subject.patience)
        lab.eventually(lambda: server.exit_status is not None, 0.2)
        if server.exit_status is not None and "Interrupted system call" not in server.stderr:
            must_be_alive(server, "its first child end")
        if lab.zombies(pid):
            raise Fault("A client was served, and its child ended.",
                        "Its parent is told, waits for it, and it is gone.",
                        f"It is a zombie: {lab.zombies(pid)[0].command}, process "
                        f"{lab.zombies(pid)[0].pid}. {doing(server)}")


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


def replaces_a_worker(subject):
    with subject.start() as server:
        pid = chief(server)
        must_answer(server, subject, "the start")
        workers = [worker.pid for worker in lab.children(pid)]
        if not workers:
            raise Fault("The server was started.", "It has workers.",
                        f"Process {pid} has no child.")
        os.kill(workers[0], signal.SIGKILL)

        def replaced():
            left = [worker.pid for worker in alive(lab.children(pid))]
            return len(left) == len(workers) and workers[0] not in left

        if not lab.eventually(replaced, subject.patience):
            must_be_alive(server, "one of its workers killed")
            raise Fault(f"One of {len(workers)} workers, process {workers[0]}, was killed.",
                        "Another takes its place.",
                        f"{len(alive(lab.children(pid)))} workers are left.")
        if lab.zombies(pid):
            raise Fault(f"A worker, process {workers[0]}, was killed.",
                        "Its parent waits for it.", "It is a zombie.")
        must_answer(server, subject, "one of its workers was killed")


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
