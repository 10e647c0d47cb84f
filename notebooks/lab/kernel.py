"""What the kernel knows of a server, as plain data: processes, descriptors, sockets, queues.

psutil tells most of it on Linux and macOS. The length of the listening queue and what a
descriptor refers to stand only in Linux's /proc: there, CannotSee is raised elsewhere.
"""

import functools
import os
import sys
import threading
import time
from collections import namedtuple
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import psutil

Process = namedtuple("Process", "pid ppid state command")
Connection = namedtuple("Connection", "local foreign state inode")
Listener = namedtuple("Listener", "address waiting inode")

PROC = Path("/proc")
TCP_STATES = ["", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
              "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV"]  # tcp_states.h

SLEEPS = {  # functions of the kernel in which a call sleeps, on Linux 5 and 6
    "inet_csk_accept": "accept", "inet_csk_wait_for_connect": "accept", "do_wait": "wait",
    "hrtimer_nanosleep": "sleep", "wait_woken": "recv", "sk_wait_data": "recv",
    "unix_stream_read_generic": "recv", "pipe_read": "read", "anon_pipe_read": "read",
    "do_sigtimedwait": "sigwait", "rt_sigtimedwait": "sigwait",
    "ep_poll": "epoll_wait", "do_epoll_wait": "epoll_wait", "do_select": "select",
    "do_poll": "poll", "do_sys_poll": "poll", "poll_schedule_timeout": "select or poll",
    "futex_wait_queue": "a lock", "futex_wait_queue_me": "a lock"}


class CannotSee(Exception):
    """This system does not show what was asked for; the message says why."""

    def __repr__(self):
        return str(self)


def eventually(condition, within=10, every=0.01):
    """Call condition() until it returns something true, and return that.

    Gives up after `within` seconds and returns the last, false, answer. Looks every `every`
    seconds, or less often where a look takes long, so that waiting leaves the processor to others.
    """
    deadline = time.monotonic() + within
    while True:
        start = time.monotonic()
        answer = condition()
        now = time.monotonic()
        if answer or now > deadline:
            return answer
        time.sleep(max(every, 3 * (now - start)))


def process(pid):
    """One process as (pid, ppid, state, command); None if there is none of that PID.

    state is "running", "sleeping", "stopped", "zombie" or another of psutil's words.
    """
    try:
        found = psutil.Process(pid)
        with found.oneshot():
            state = found.status()
            return Process(pid, found.ppid(), state, _command(found, state))
    except psutil.ZombieProcess:  # it ended while we looked
        return process(pid)
    except psutil.NoSuchProcess:
        return None


def _command(found, state):
    """What a process was started as; its bare name if it has ended, or is not ours to look at."""
    with suppress(psutil.AccessDenied):
        if state != psutil.STATUS_ZOMBIE and (words := found.cmdline()):
            return " ".join(words)
    return f"[{found.name()}]"


def children(pid):
    """The children of a process, as a list of Process, in the order of their PIDs."""
    return sorted(child for child in map(process, _pids_of_children(pid)) if child)


def _pids_of_children(pid):
    """From the kernel's own list, a file for each thread that forks (proc(5)); where there is none,
    by a look at all processes, which takes ten times as long."""
    try:
        threads = os.listdir(f"{PROC}/{pid}/task")
        texts = [Path(f"{PROC}/{pid}/task/{thread}/children").read_text() for thread in threads]
        return [int(child) for child in " ".join(texts).split()]
    except OSError:
        pass
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def zombies(pid):
    """Those children of a process that have ended and that it has not waited for."""
    return [child for child in children(pid) if child.state == psutil.STATUS_ZOMBIE]


def descriptors(pid):
    """What each descriptor of a process refers to: {4: "socket:[8812]", ...}.

    The number in brackets is the kernel's own, the inode: the same inode in two processes
    is the same socket. A zombie has none. Raises CannotSee without /proc. See proc(5).
    """
    _need_proc("descriptors")
    table, folder = {}, f"{PROC}/{pid}/fd"
    try:
        for name in os.listdir(folder):
            try:
                table[int(name)] = os.readlink(f"{folder}/{name}")
            except FileNotFoundError:  # closed while we looked
                continue
    except (FileNotFoundError, PermissionError):  # gone, or a zombie
        pass
    return dict(sorted(table.items()))


def descriptor_count(pid):
    """How many descriptors a process has; 0 for a zombie or none."""
    try:
        return psutil.Process(pid).num_fds()
    except psutil.Error:
        return 0


def thread_count(pid):
    """How many threads a process has; 0 for a zombie or none."""
    try:
        return psutil.Process(pid).num_threads()
    except psutil.Error:
        return 0


def memory(pids, kind="PSS"):
    """The memory of some processes together, in bytes; what the kernel keeps for them is not in it.

    RSS    all that each of them has in memory, so that a page which n of them share counts n times
    PSS    there a shared page counts as 1/n in each: once, if pids are all that share it
    Raises CannotSee for PSS without /proc. See proc_pid_smaps(5).
    """
    if kind == "PSS" and not psutil.LINUX:
        raise CannotSee("This system does not tell how much of its memory a process shares.")
    total = 0
    for pid in pids:
        with suppress(psutil.Error):  # it has ended
            found = psutil.Process(pid)
            total += found.memory_full_info().pss if kind == "PSS" else found.memory_info().rss
    return total


def cpu_seconds(pids):
    """The CPU time of some processes, with that of the children that they have waited for.

    A zombie's time is nobody else's yet, and too short for the ticks of 10 ms in which
    /proc/PID/stat counts; schedstat has nanoseconds (sched-stats.rst in the kernel's sources).
    """
    total = 0
    for pid in pids:
        with suppress(psutil.Error, OSError):  # it has ended
            found = psutil.Process(pid)
            if found.status() == psutil.STATUS_ZOMBIE:
                total += int(PROC.joinpath(str(pid), "schedstat").read_text().split()[0]) / 1e9
            else:
                total += sum(found.cpu_times()[:4])  # its own, and its children's
    return total


def sleeps_in(pid):
    """The system call that a process sleeps in, such as "accept"; None if it runs, or one that
    we have no word for, or where the system does not tell. See proc(5), wchan."""
    try:
        with open(f"{PROC}/{pid}/wchan") as file:
            return SLEEPS.get(file.read().partition(".")[0])  # compilers add .isra.0 and such
    except OSError:
        return None


def holders(inode, pids):
    """Which of the processes hold a socket: [(pid, descriptor), ...]."""
    return [(pid, descriptor) for pid in pids
            for descriptor, target in descriptors(pid).items() if target == f"socket:[{inode}]"]


def listeners(port):
    """The listening sockets on a port, as a list of Listener.

    address   the address it is bound to, such as "127.0.0.1"; "::" is every interface, in IPv6
    waiting   finished connections that wait for accept; None where /proc does not tell
    inode     the kernel's number for the socket; None likewise
    """
    if not PROC.joinpath("net/tcp").exists():
        return [Listener(found.laddr.ip, None, None) for found in _psutil_connections()
                if found.status == psutil.CONN_LISTEN and found.laddr.port == port]
    found = {inode: Listener(local[0], waiting, inode)  # where others come and go, one stands twice
             for table in ("net/tcp", "net/tcp6")
             for local, _, state, waiting, inode in _proc_net_tcp(port, table, listening=True)}
    return list(found.values())


def listening(pids):
    """Where these processes listen, on whatever port: a sorted list of (address, port)."""
    found = set()
    for pid in pids:
        with suppress(psutil.Error):
            found.update((end.laddr.ip, end.laddr.port)
                         for end in psutil.Process(pid).net_connections(kind="tcp")
                         if end.status == psutil.CONN_LISTEN)
    return sorted(found)


def connections(port):
    """The TCP connections with this port at either end, as a list of Connection.

    local and foreign are (address, port): together the socket pair, seen from the local side.
    A connection within this machine is listed twice, once from each side. inode is 0 where
    no process holds that end: it waits for accept, or was closed. Raises CannotSee without /proc.
    """
    _need_proc("socket pairs")
    return [Connection(local, foreign, state, inode)
            for table in ("net/tcp", "net/tcp6")
            for local, foreign, state, _, inode in _proc_net_tcp(port, table)
            if state != "LISTEN"]


def unread(port):
    """How many bytes of its clients the server on a port has not read yet; they wait in the kernel.

    Raises CannotSee without /proc.
    """
    _need_proc("unread bytes")
    return sum(waiting for table in ("net/tcp", "net/tcp6")
               for local, _, state, waiting, _ in _proc_net_tcp(port, table)
               if local[1] == port and state != "LISTEN")


def socket_pairs(port):
    """The established connections within this machine to a port, each seen from both its ends.

    A list of (client_side, server_side), two Connections. Raises CannotSee without /proc.
    """
    ends = {(end.local, end.foreign): end for end in connections(port)
            if end.state == "ESTABLISHED"}
    return [(ends[foreign, local], end) for (local, foreign), end in ends.items()
            if local[1] == port and (foreign, local) in ends]


def queue(pid, port):
    """Where the clients of a listening server are: (accepted, waiting, outside), three counts.

    accepted   connections of which the process, or a child of it, holds a descriptor
    waiting    finished connections in the kernel's queue, for accept to take
    outside    clients that have sent SYN and are not let in
    Raises CannotSee without /proc.
    """
    ends = connections(port)
    family = [pid, *(child.pid for child in children(pid))]
    held = {target for member in family for target in descriptors(member).values()}
    accepted = {end.inode for end in ends
                if end.local[1] == port and f"socket:[{end.inode}]" in held}
    waiting = sum(listener.waiting for listener in listeners(port))
    return len(accepted), waiting, sum(end.state == "SYN_SENT" for end in ends)


class Recorder:
    """Measures something over and over while a with block runs.

    with Recorder(lambda: len(zombies(pid))) as recorder: ...
    recorder.samples is then [(seconds since the start, value), ...], one where the value changed,
    and one at the end.
    """

    def __init__(self, measure, every=0.01):
        self.samples = []
        self._measure, self._every = measure, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._over.set()
        self._thread.join()

    def _run(self):
        start, value = time.monotonic(), None
        while not self._over.wait(self._every):
            last, value = value, self._measure()
            if value != last:
                self.samples.append((time.monotonic() - start, value))
        self.samples.append((time.monotonic() - start, self._measure()))


def pending_signals(pid):
    """The signals that the kernel holds for a process, a set of numbers. See proc(5), ShdPnd.

    Raises CannotSee without /proc.
    """
    return _signals(pid, "SigPnd") | _signals(pid, "ShdPnd")


def caught_signals(pid):
    """The signals that a process has a handler for, or has blocked, in order to wait for them;
    a set of numbers. Raises CannotSee without /proc. See proc(5), SigCgt and SigBlk."""
    return _signals(pid, "SigCgt") | _signals(pid, "SigBlk")


def ignored_signals(pid):
    """The signals that a process ignores, a set of numbers. Raises CannotSee without /proc."""
    return _signals(pid, "SigIgn")


def _signals(pid, field):
    _need_proc("signals")
    mask = int(_status(PROC / str(pid))[field], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def wakeups(pid):
    """How many times a process and its threads have given up the processor to wait for something.

    Raises CannotSee without /proc. See proc(5), voluntary_ctxt_switches.
    """
    _need_proc("context switches")
    total = 0
    for task in PROC.joinpath(str(pid), "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            total += int(_status(task)["voluntary_ctxt_switches"])
    return total


def _status(task):
    """The lines of /proc/PID/status, or of one of its threads, as a dictionary."""
    lines = task.joinpath("status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def holder_of_port(port):
    """The Process that listens on a port; None if there is none, or the system does not say."""
    return next(holders_of_port(port), None)


def holders_of_port(port):
    """The Processes, whosesoever, that listen on a port; none where the system does not say."""
    for listener in listeners(port):
        for pid in psutil.pids():
            if listener.inode and holders(listener.inode, [pid]) and (found := process(pid)):
                yield found


def _need_proc(what):
    if not PROC.joinpath("self/fd").exists():
        raise CannotSee(f"This system has no /proc, and shows no {what} without it.")


def _proc_net_tcp(port, table="net/tcp", listening=False):
    """(local, foreign, state, waiting, inode) for each line of /proc/net/tcp with that port.

    Of what may be thousands of lines the listening sockets are the first; with listening=True
    the others are not even read.
    """
    here = f":{port:04X} "
    with suppress(FileNotFoundError), open(PROC / table) as lines:  # a kernel without IPv6
        next(lines)
        for line in lines:
            if listening and line.split(maxsplit=4)[3] != "0A":
                return
            if here in line:
                _, local, foreign, state, queues, _, _, _, _, inode, _ = line.split(maxsplit=10)
                yield (_address(local), _address(foreign), TCP_STATES[int(state, 16)],
                       int(queues.split(":")[1], 16), int(inode))


@functools.lru_cache(4096)
def _address(text):
    """("127.0.0.1", 8888) from "0100007F:22B8": words of four bytes in the machine's order.

    An address of IPv4 that is told in IPv6, ::ffff:127.0.0.1, is the same address.
    """
    address, port = text.split(":")
    octets = b"".join(int(address[start:start + 8], 16).to_bytes(4, sys.byteorder)
                      for start in range(0, len(address), 8))
    found = ip_address(octets)
    return str(getattr(found, "ipv4_mapped", None) or found), int(port, 16)


def _psutil_connections():
    for found in psutil.process_iter():
        try:
            yield from found.net_connections(kind="tcp")
        except psutil.Error:
            continue
