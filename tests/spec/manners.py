"""The checks of what every server owes its user."""

import os
import signal
import socket
import time
from contextlib import suppress

import lab
from lab.server import left_behind
from tests.spec.subject import (
    BODY,
    TRACEBACK,
    Fault,
    but_for_a_signal,
    chief,
    must_answer,
    must_not_show_a_traceback,
    settled,
    silent_clients,
)
from tests.spec.timers import sleeps_for


def starts(subject):
    try:
        with subject.start() as server:
            addresses = {listener.address for listener in lab.listeners(server.port)}
            lab.eventually(lambda: server.exit_status is not None or lab.sleeps_in(server.pid), 0.3)
            if server.exit_status is not None:
                raise lab.ServerError(f"It listened, and ended with status {server.exit_status} "
                                      "before a client came.")
    except lab.ServerError as error:
        at_its_end = " " + AT_ITS_END if "ended with status 0" in str(error) else ""
        raise Fault(*STARTED, f"{error}{at_its_end}") from None
    if server.survivors:
        raise Fault("The server was started, and then all of its process group was ended.",
                    "Nothing of it is left. A daemon has a group of its own: here let the server "
                    "stay where it was started.", left_behind(server))
    if not addresses & {server.host, *EVERY}:
        raise Fault(*STARTED, f"It listens on {' and '.join(addresses)}, where the clients of "
                    f"{server.host} do not get in.")


STARTED = ("The server was started, with HOST=127.0.0.1 and a PORT in its environment.",
           "It listens there.")
AT_ITS_END = ("It came to the end of its program. If it has called bind and listen, the kernel "
              "closed its socket then: accept is what waits for a client.")
EVERY = {"0.0.0.0", "::"}
OTHER_HOST = "127.0.0.2"  # Linux has all of 127.0.0.0/8, macOS what it was given


def listens_on_host_only(subject):
    """HOST is an address of this machine that no program has by default, too."""
    for host in ["127.0.0.1", *[OTHER_HOST] * is_ours(OTHER_HOST)]:
        must_listen_on(subject, host)


def must_listen_on(subject, host):
    with subject.start(host=host) as server:
        addresses = {listener.address for listener in lab.listeners(server.port)}
        if addresses != {server.host}:
            every = " That is every interface: the whole network may come in."
            raise Fault(f"The server was started with HOST={server.host}.",
                        f"It listens on {server.host}, which only this machine can reach.",
                        f"It listens on {' and '.join(addresses)}."
                        + every * bool(addresses & EVERY))


def is_ours(host):
    """Whether one can listen on an address."""
    with socket.socket() as probe, suppress(OSError):
        probe.bind((host, 0))
        return True
    return False


def stays(subject):
    """Nobody comes for longer than the server waits; then one comes, and asks as late.

    TIMEOUT is the limit of those that give a client one, from 2j on: here it is short.
    """
    with subject.start(TIMEOUT=1) as server:
        seconds = quiet_time(server)
        must_answer(server, subject, f"{seconds:.1f} s in which nobody came")
    with subject.start(TIMEOUT=1) as server, but_for_a_signal():
        with silent_clients(server, 1) as [late]:
            seconds = quiet_time(server)
            with suppress(OSError):  # who came so late need not be answered
                late.settimeout(0.5)
                late.sendall(lab.clients.REQUEST)
                late.recv(65536)
        must_answer(server, subject, f"a client that was silent for {seconds:.1f} s")
        must_not_show_a_traceback(server, f"a client that was silent for {seconds:.1f} s")


LONGEST = 6  # seconds: for what a server does after a longer pause nobody waits


def quiet_time(server):
    """Let the server alone until all that it waits for with a time limit is over; the seconds.

    A call that may sleep for ever has nothing to wait for. Where the system does not tell how
    long a call sleeps, it is left alone for a moment only.
    """
    start = time.monotonic()
    settled(lambda: [lab.sleeps_in(pid) for pid in server.members()])
    limits = [limit for pid in server.members() for limit in sleeps_for(pid)]
    longest = max([limit for limit in limits if limit <= LONGEST], default=0)
    lab.eventually(lambda: server.exit_status is not None, longest + 0.3)
    return time.monotonic() - start


def idles(subject):
    with subject.start() as server:
        must_sleep(server, "Nobody asked the server.")
        with silent_clients(server, 1) as [client]:
            must_sleep(server, "One client was connected, and silent.")
            client.sendall(b"GET /hel")
            must_sleep(server, "One client was connected, and had sent half a request.")
        if all(lab.ask(server.port, timeout=subject.patience, until=BODY).status
               for _ in range(3)):  # who is left without an answer is the business of others
            must_sleep(server, "Three clients had asked, and left.")  # 3e is dead by now


def must_sleep(server, what):
    """Raise Fault if the server is busy three times in a row; a fresh one may warm up first."""
    for _ in range(3):
        used, awake, new, woken = activity(server)
        if used < 0.1 and awake < 0.8 and new < 2 and woken < OFTEN:
            return
    raise Fault(what, "The server sleeps in the kernel until something comes.",
                f"In 0.4 s it used {used:.2f} s of processor time, and of 20 looks at it "
                f"{20 * awake:.0f} found it running. It woke up {woken} times."
                + f" {new} new processes came." * bool(new))


OFTEN = 30  # times in 0.4 s: some languages wake up now and then for their own business


def activity(server, seconds=0.4, looks=20):
    """What a server's processes do in so many seconds: the processor time that they use, how often
    one of them was found running, from 0 to 1 (on a busy machine it may run, and get no
    processor), how many processes came that were not there at first, and how many times the chief
    one woke up."""
    pid, first, seen, found = chief(server), set(server.members()), set(), 0
    before, woken = lab.cpu_seconds(first), wakeups(pid)
    for _ in range(looks):
        time.sleep(seconds / looks)
        seen.update(members := server.members())
        found += any(process.state == "running" for process in map(lab.process, members) if process)
    used = lab.cpu_seconds(server.members()) - before
    return used, found / looks, len(seen - first), wakeups(pid) - woken


def wakeups(pid):
    """As lab.wakeups; 0 where the system does not tell."""
    with suppress(lab.CannotSee, OSError):
        return lab.wakeups(pid)
    return 0


def says_port_is_taken(subject):
    with subject.start() as first:
        done = f"A second server was started, with the same PORT={first.port}."
        expected = "It says in a line or two that the port is taken, and ends with status 1 or so."
        with lab.Server(subject.full_command(), PORT=first.port) as second:
            lab.eventually(lambda: second.exit_status is not None, max(subject.patience, 2))
            status, words = second.exit_status, (second.stderr or second.stdout).strip()
        if status is None:
            raise Fault(done, expected, f"It still ran {max(subject.patience, 2):g} s later.")
        if TRACEBACK.search(words):
            raise Fault(done, expected, "It printed a traceback, of "
                        f"{len(words.splitlines())} lines.")
        if status == 0 or not words:
            raise Fault(done, expected, f"It ended with status {status}, and "
                        f"{'said: ' + words[-300:] if words else 'said nothing'}.")


def starts_again(subject):
    """The end of a connection stays in the kernel for a minute (TIME_WAIT), with the port in it."""
    with subject.start() as first:
        lab.ask(first.port, timeout=min(subject.patience, 1))
    try:
        with subject.start(port=first.port) as second:
            must_answer(second, subject, "a new start")
    except lab.ServerError as error:
        raise Fault("The server answered a client, was stopped, and started again.",
                    "It listens again at once.", str(error)) from None


def stops(subject):
    """kill goes to the server alone, Ctrl-C in a terminal to all of its processes.

    Two servers at the same time, for each may give those in flight some seconds.
    """
    with subject.start(DELAY=60) as killed, subject.start(DELAY=60) as interrupted, \
            silent_clients(killed, 2), silent_clients(interrupted, 2):
        parents = [chief(killed), chief(interrupted)]
        lab.eventually(lambda: all(len(lab.children(pid)) >= 2 for pid in parents), 0.3)
        pid, family = parents[0], interrupted.members()
        os.kill(pid, signal.SIGTERM)
        os.killpg(interrupted.pid, signal.SIGINT)
        must_be_gone("kill", [pid], "It stops.")
        must_be_gone("Ctrl-C", family, "It stops, and its children with it.")
        must_not_show_a_traceback(killed, "kill")
        must_not_show_a_traceback(interrupted, "Ctrl-C")


def must_be_gone(name, pids, expected):
    """Raise Fault if one of the processes is still there when a patient user would be none."""
    def left():
        return [process for process in map(lab.process, pids)
                if process and process.state != "zombie"]

    if not lab.eventually(lambda: not left(), TO_STOP):
        raise Fault(f"{name} was sent to the server, with two clients connected.", expected,
                    f"{TO_STOP} s later process {left()[0].pid} still runs"
                    f"{where(left()[0].pid)}: {left()[0].command}")


TO_STOP = 8  # seconds: it may give those in flight a few


def where(pid):
    call = lab.sleeps_in(pid)
    return f", and sleeps in {call}" if call else ""
