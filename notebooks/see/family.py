"""A look at the processes of one server, cheap enough to be had many times a second.

Everything that `lab` starts has a session of its own, so that the session tells the family, those
whose parent has died included.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from lab import descriptors, sleeps_in

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
STATES = {"R": "running", "S": "sleeping", "D": "sleeping", "I": "sleeping", "T": "stopped",
          "t": "stopped", "Z": "zombie", "X": "gone"}
KINDS = {"socket": "other", "pipe": "pipe", "anon_inode": "other"}
NAMES = {number.value: number.name for number in signal.Signals}


def members(session):
    """The PIDs of a session, zombies among them."""
    found = []
    for name in os.listdir(PROC):
        if name.isdecimal():
            with suppress(OSError):
                if os.getsid(int(name)) == session:
                    found.append(int(name))
    return found


def look(pid, now):
    """What /proc says of one process; None if there is none. now is the time since boot."""
    try:
        stat = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    state = STATES.get(stat[0], "sleeping")
    seen = {"pid": pid, "ppid": int(stat[1]), "role": "child", "state": state,
            "age": round(now - int(stat[19]) / TICKS, 2), "call": None,
            "threads": 0 if state == "zombie" else int(stat[17]),
            **signals(status), "exit_status": None, "reaped": False, "killed": False,
            "seen": "kernel", "descriptors": []}
    if state == "zombie":
        seen["exit_status"] = os.waitstatus_to_exitcode(int(stat[49]))
    elif state != "gone":
        seen["call"] = sleeps_in(pid)
        seen["descriptors"] = [describe(number, target)
                               for number, target in descriptors(pid).items()]
    return seen


def signals(status):
    """The pending and the blocked ones by their names, from the text of /proc/PID/status."""
    masks = {"SigPnd": 0, "ShdPnd": 0, "SigBlk": 0}
    for line in status.splitlines():
        name, _, value = line.partition(":\t")
        if name in masks:
            masks[name] = int(value, 16)
    return {"pending": names(masks["SigPnd"] | masks["ShdPnd"]), "blocked": names(masks["SigBlk"])}


def names(mask):
    return [NAMES.get(number, f"signal {number}") for number in range(1, 65)
            if mask >> (number - 1) & 1]


def describe(number, target):
    """One descriptor. Which sockets listen, and which are connections, only the table tells."""
    kind, colon, rest = target.partition(":")
    inode = int(rest[1:-1]) if colon and rest[1:-1].isdecimal() else None
    return {"number": number, "kind": KINDS.get(kind, "other") if colon else "file",
            "inode": inode, "words": target}
