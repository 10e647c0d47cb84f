"""What the chapters on threads, workers and event loops measure over and over."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil

from lab import pictures
from lab.clients import REQUEST, ask, ask_at_once, connect, read_until
from lab.kernel import (
    CannotSee,
    children,
    descriptors,
    eventually,
    listeners,
    memory,
    process,
    sleeps_in,
    socket_pairs,
)
from lab.server import start_stage


def tables(server, title, first=0):
    """A picture of the descriptors of all a server's processes, from number `first` on.

    Where the system does not show them, the reason instead.
    """
    try:
        names = {listener.inode: "listening socket" for listener in listeners(server.port)}
        names |= {end.inode: "connection" for _, end in socket_pairs(server.port)}
        held = {pid: {number: target for number, target in descriptors(pid).items()
                      if number >= first} for pid in sorted(server.members())}
        return pictures.descriptor_tables(held, names, title=title)
    except CannotSee as reason:
        return reason


def sleep_in(server):
    """The system calls in which a server's children sleep; "(not to be seen here)" for others."""
    return [sleeps_in(child.pid) or "(not to be seen here)" for child in children(server.pid)]


def ask_when_it_says(server, words):
    """Connect, wait until the server has printed these words, then ask; what came back, as bytes.

    A connection that was reset brings nothing, as one does that has ended.
    """
    with connect(server.port) as client:
        eventually(lambda: words in server.stdout)
        try:
            client.sendall(REQUEST)
            return read_until(client, b"no such end")
        except ConnectionError:
            return b""


def kill_the_first_clients_process(stage, delay=1.5):
    """Three clients at once; the process that serves the first is killed; a fourth one comes.

    The four Answers. The stage keeps each connection for `delay` seconds after its answer.
    """
    with start_stage(stage, DELAY=delay) as server, ThreadPoolExecutor() as pool:
        crowd = pool.submit(ask_at_once, server.port, 3)
        eventually(lambda: server.stdout.count("GET") == 3)
        time.sleep(0.4)  # so that a picture has something to show
        first = [*children(server.pid), process(server.pid)][0]
        os.kill(first.pid, signal.SIGKILL)
        answers = sorted(crowd.result(), key=lambda answer: answer.end or 0)
        return [*answers, ask(server.port)]


def milliseconds(server, clients=150):
    """How long a client takes, from connecting to the end: the quickest of many, one by one."""
    return min(ask(server.port).end * 1000 for _ in range(clients))


def megabytes(server, kind):
    """The memory of all a server's processes, "RSS" or "PSS"; None where it is not to be seen."""
    try:
        return memory(server.members(), kind) / 1e6
    except CannotSee:
        return None


def who_wakes(server, clients=20):
    """For each of some clients, one after the other: which of the server's children woke up.

    A list of sets of numbers, 0 for the child with the lowest PID. A process that went to sleep by
    itself had been awake: the kernel counts that (getrusage(2), voluntary context switches).
    """
    woke, before = [], _sleeps(server)
    for _ in range(clients):
        ask(server.port)
        after = _sleeps(server)
        woke.append({number for number, (one, other) in enumerate(zip(before, after, strict=True))
                     if one != other})
        before = after
    return woke


def _sleeps(server):
    """How often each child went to sleep, when all of them are asleep."""
    pids, seen = [child.pid for child in children(server.pid)], []

    def all_asleep():
        seen.append([psutil.Process(pid).num_ctx_switches().voluntary for pid in pids])
        awake = [pid for pid in pids if psutil.LINUX and process(pid).state != "sleeping"]
        return not awake and seen[-2:-1] == seen[-1:]

    eventually(all_asleep, within=2, every=0.02)
    return seen[-1]


def living(pids):
    """Those of the processes that are there, and no zombies."""
    seen = [process(pid) for pid in pids]
    return [one.pid for one in seen if one and one.state != "zombie"]


def workers(server, number):
    """The PIDs of a server's children, when there are so many, and none has ended."""
    def pids():
        return living(child.pid for child in children(server.pid))

    eventually(lambda: len(pids()) == number)
    return pids()


class Crowd:
    """Clients, each a thread, that ask over and over while a with block runs.

    outcomes   how often they had which status, or which error instead of one
    """

    def __init__(self, port, clients=4):
        self._over = threading.Event()
        self._counts = [Counter() for _ in range(clients)]
        self._threads = [threading.Thread(target=self._run, args=[port, count])
                         for count in self._counts]

    @property
    def outcomes(self):
        return sum((Counter(dict(count)) for count in self._counts), Counter())

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, port, count):
        while not self._over.is_set():
            answer = ask(port)
            count[answer.status or type(answer.error).__name__] += 1
            if answer.error:
                time.sleep(0.01)  # who is refused does not come back at once


def system_calls(pid, action):
    """How often a process makes which system call while action() runs, as strace(1) counts.

    Raises CannotSee where there is no strace, or where it may not look at other processes.
    """
    if not shutil.which("strace"):
        raise CannotSee("There is no strace here, which shows the system calls of a process.")
    with tempfile.NamedTemporaryFile("r") as report:
        tracer = subprocess.Popen(["strace", "-f", "-o", report.name, "-p", str(pid)],
                                  stderr=subprocess.PIPE, text=True)
        if "attached" not in tracer.stderr.readline():
            tracer.kill()
            tracer.communicate()
            raise CannotSee("strace may not look at other processes here.")
        action()
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
        return Counter(re.findall(r"^\d+ +(\w+)\(", report.read(), re.MULTILINE))


def ask_often(server, requests=100):
    """Ask for /hello again and again, on one connection that stays open."""
    with connect(server.port) as client:
        for _ in range(requests):
            client.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
            read_until(client, b"!\n")


def count_bytes(connection):
    """How many bytes come until the end."""
    size = 0
    while block := connection.recv(1 << 20):
        size += len(block)
    return size
