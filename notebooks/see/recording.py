"""What was seen, kept as the lines of JSON that it is told in. See moment.py."""

import json
import platform
import secrets
import threading
from collections import deque
from datetime import datetime, timezone
from pathlib import Path

from see.moment import VERSION

MOST = 24 << 20  # bytes that are kept; what is older is forgotten
AT_ONCE = 2 << 20  # bytes that one answer has


class Recording:
    """All moments, or the newest of them if all are more than `most` bytes."""

    def __init__(self, clock, rate, most=MOST):
        self.clock, self.most = clock, most
        self.header = {
            "version": VERSION, "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "rate": rate, "run": secrets.token_hex(8), "sees": Path("/proc/self/fd").exists(),
            "system": f"{platform.system()} {platform.release()}, "
                      f"Python {platform.python_version()}"}
        self._lines, self._size = deque(), 0
        self._first = 1  # the number of the first that is kept
        self._last = None
        self._lock = threading.Lock()

    def add(self, now, servers, done):
        """Write a moment down, if there is anything new in it but the time."""
        if self._last == (servers, done):
            return
        self._last = [{**one, "said": []} for one in servers], done
        with self._lock:
            number = self._first + len(self._lines)
            line = json.dumps({"number": number, "time": now, "done": done,
                               "servers": [with_ages(one, now) for one in servers]},
                              separators=(",", ":"))
            self._lines.append(line)
            self._size += len(line)
            while self._size > self.most:
                self._size -= len(self._lines.popleft())
                self._first += 1

    def after(self, number):
        """The lines of the moments after that number, but no more than an answer can hold."""
        with self._lock:
            lines, size = [], 0
            for line in list(self._lines)[max(0, number + 1 - self._first):]:
                if lines and size + len(line) > AT_ONCE:
                    break
                lines.append(line)
                size += len(line)
            return lines

    def answer(self, number):
        """What a page is told that knows all up to that number, as JSON."""
        lines = self.after(number)
        with self._lock:
            last = self._first + len(self._lines) - 1
            about = {"now": self.clock(), "first": self._first, "last": last,
                     "header": self.header}
        return f'{json.dumps(about)[:-1]}, "moments": [{",".join(lines)}]}}'

    def whole(self):
        """All of it, as the text of a file."""
        with self._lock:
            return "\n".join([json.dumps(self.header), *self._lines]) + "\n"


def with_ages(server, now):
    """As a moment has it: ages instead of births."""
    processes = [{**one, "age": None if one["born"] is None
                  else round((one["ended"] or now) - one["born"], 2)}
                 for one in server["processes"]]
    return {**server, "processes": processes}
