"""A look at one process, cheap enough to be had many times a second; and a signal to one.

Everything that `lab` starts has a session of its own, so that the session tells the family, those
whose parent has died included.
"""

import functools
import os
import re
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from lab import descriptors, sleeps_in

HAS_PROC = Path("/proc/self/stat").exists()
TICKS = os.sysconf("SC_CLK_TCK")
STATES = {"R": "running", "S": "sleeping", "D": "sleeping", "I": "sleeping", "T": "stopped",
          "t": "stopped", "Z": "zombie"}
MASKS = re.compile(r"SigPnd:\t(\w+)\nShdPnd:\t(\w+)\nSigBlk:\t(\w+)\nSigIgn:\t(\w+)\n"
                   r"SigCgt:\t(\w+)")
NAMES = {number.value: number.name for number in signal.Signals}


def members(session):
    """The PIDs of a session, zombies among them."""
    found = []
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session:
                found.append(pid)
    return found


def look(pid, clock):
    """What the kernel knows of one process, as in moment.py, but `born` stands for its age, and
    each has the role of a child. None if there is none of that PID."""
    try:
        return look_at_proc(pid, clock) if HAS_PROC else look_with_psutil(pid, clock)
    except (OSError, psutil.Error):  # it has ended
        return None


def unknown(pid, ppid):
    """A process of which nothing else is known yet."""
    return {"pid": pid, "ppid": ppid, "role": "child", "was": None, "state": "sleeping",
            "born": None, "ended": None, "call": None, "threads": 0, "pending": [], "blocked": [],
            "caught": [], "ignored": [], "exit_status": None, "reaped": False, "killed": None,
            "seen": "kernel", "descriptors": []}


def look_at_proc(pid, clock):
    stat = read(f"/proc/{pid}/stat").rpartition(")")[2].split()  # from its 3rd field on
    state = STATES.get(stat[0], "sleeping")
    seen = {**unknown(pid, int(stat[1])), "state": state,
            "born": round(int(stat[19]) / TICKS - clock.origin, 2)}
    if state == "zombie":
        seen["exit_status"] = os.waitstatus_to_exitcode(int(stat[49]))
    else:
        seen.update(signals(read(f"/proc/{pid}/status")), threads=int(stat[17]))
        seen["call"] = sleeps_in(pid) if state == "sleeping" else None
        seen["descriptors"] = [describe(number, target)
                               for number, target in descriptors(pid).items()]
    return seen


def read(path):
    """The text of a small file, with as little ado as possible."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 8192).decode("ascii", "replace")
    finally:
        os.close(file)


def look_with_psutil(pid, clock):
    """The same where there is no /proc; what it does not tell is empty."""
    found = psutil.Process(pid)
    state = found.status()
    ours = state if state in ("running", "stopped", "zombie") else "sleeping"
    return {**unknown(pid, found.ppid()), "state": ours,
            "born": round(found.create_time() - time.time() + clock(), 2),
            "threads": 0 if ours == "zombie" else found.num_threads()}


def send_signal(session, pid, signum):
    """Signal a process, if it is of that session; whether it was."""
    try:
        with open_process(pid) as send:
            if os.getsid(pid) != session:
                return False
            send(signum)
            return True
    except (OSError, OverflowError):  # there is none
        return False


@contextmanager
def open_process(pid):
    """A function that signals this process, and no other that may get its number meanwhile."""
    if not hasattr(os, "pidfd_open"):  # macOS
        yield lambda signum: os.kill(pid, signum)
        return
    handle = os.pidfd_open(pid)
    try:
        yield lambda signum: signal.pidfd_send_signal(handle, signum)
    finally:
        os.close(handle)


def signals(status):
    """What /proc/PID/status says of signals, by their names."""
    own, shared, blocked, ignored, caught = (
        int(mask, 16) for mask in MASKS.search(status).groups())
    return {"pending": names(own | shared), "blocked": names(blocked), "caught": names(caught),
            "ignored": names(ignored)}


@functools.lru_cache
def names(mask):
    return [NAMES.get(number, f"signal {number}") for number in range(1, 65)
            if mask >> (number - 1) & 1]


def describe(number, target):
    """One descriptor. Which sockets listen, and which are connections, only the table tells."""
    kind, colon, rest = target.partition(":")
    inode = int(rest[1:-1]) if colon and rest[1:-1].isdecimal() else None
    return {"number": number, "kind": kind if kind == "pipe" else "other" if colon else "file",
            "inode": inode, "words": target}
