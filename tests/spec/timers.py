"""For how long a server's calls sleep: what Linux tells of its calls, and of its sockets."""

import ctypes
import os
import platform
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

import lab

PROC = Path("/proc")
PIDFD_GETFD = 438  # a call that neither Python nor most C libraries have a function for
MILLISECONDS, TIMESPEC, TIMEVAL = 1, 10**9, 10**6  # of a struct: what one second has of its parts

CALLS = {  # the number of a call that waits: which of its arguments is the limit, and in what form
    "x86_64": {7: (2, MILLISECONDS), 23: (4, TIMEVAL), 35: (0, TIMESPEC), 230: (2, TIMESPEC),
               232: (3, MILLISECONDS), 270: (4, TIMESPEC), 271: (2, TIMESPEC),
               281: (3, MILLISECONDS), 441: (3, TIMESPEC)},
    "aarch64": {22: (3, MILLISECONDS), 72: (4, TIMESPEC), 73: (2, TIMESPEC), 101: (0, TIMESPEC),
                115: (2, TIMESPEC), 441: (3, TIMESPEC)},
}  # poll, select, nanosleep, clock_nanosleep, epoll_wait, pselect6, ppoll, epoll_pwait(2)
UNTIL = {"x86_64": 230, "aarch64": 115}  # clock_nanosleep


def sleeps_for(pid):
    """The limits, in seconds, of the calls that the threads of a process sleep in.

    A call without a limit has none; where the system does not tell, there is none either. See
    proc(5); only who may trace a process may look, as its parent may.
    """
    limits = []
    for task in PROC.glob(f"{pid}/task/*/syscall"):
        with suppress(OSError, ValueError, struct.error):  # it ended, runs, or is not ours to see
            limits.append(limit_of_call(pid, task.read_text().split()))
    with suppress(lab.CannotSee, OSError, AttributeError):
        limits += limits_of_sockets(pid)
    return [limit for limit in limits if limit and limit > 0]


def limit_of_call(pid, words):
    """The limit of a call, from its number and arguments; None if it has none.

    Raises ValueError if the thread is in no call.
    """
    number, *arguments = [int(word, 0) for word in words]
    position, kind = CALLS.get(platform.machine(), {}).get(number, (None, None))
    if position is None:
        return None
    argument = arguments[position]
    if number == UNTIL.get(platform.machine()) and arguments[1]:  # TIMER_ABSTIME: not for, until
        return struct_at(pid, argument, kind) - time.clock_gettime(arguments[0])
    if kind == MILLISECONDS:
        signed = argument & 0xFFFFFFFF
        return signed / 1000 if signed < 0x80000000 else None
    return struct_at(pid, argument, kind) if argument else None


def struct_at(pid, address, kind):
    """The seconds of a timespec or timeval in the memory of a process."""
    with open(PROC / str(pid) / "mem", "rb", buffering=0) as memory:
        memory.seek(address)
        seconds, part = struct.unpack("qq", memory.read(16))
    return seconds + part / kind


def limits_of_sockets(pid):
    """The SO_RCVTIMEO, in seconds, of each socket of a process: 0 if it has none."""
    sockets = [number for number, target in lab.descriptors(pid).items()
               if target.startswith("socket:")]
    handle = os.pidfd_open(pid)
    try:
        copies = [ctypes.CDLL(None).syscall(PIDFD_GETFD, handle, number, 0) for number in sockets]
    finally:
        os.close(handle)
    return [limit_of_socket(copy) for copy in copies if copy >= 0]


def limit_of_socket(descriptor):
    """Its SO_RCVTIMEO in seconds; the descriptor is closed."""
    with socket.socket(fileno=descriptor) as copied:
        limit = copied.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16)
    seconds, part = struct.unpack("qq", limit)
    return seconds + part / TIMEVAL
