"""The processes of one server, and what is remembered of them between two looks."""

from see import process

GONE = 3  # seconds that a process is told of after it is gone
MOST_GONE = 400
SETTLED = 0.2  # seconds after which a child that still listens is a worker


class Family:
    """A server's first process and all that came of it: they share its session.

    seen       the living and the zombies by their PIDs, as the last look found them
    gone       those who left a moment ago
    children   the PIDs of all children that there ever were, as far as seen or heard of
    reaped     those of them that were waited for
    killed     by PID, what state they were in when somebody killed them from the page
    """

    def __init__(self, clock):
        self.clock = clock
        self.pid = None  # of the first process, once there is one
        self.exit_status = None  # of that one
        self.seen, self.gone, self.killed = {}, {}, {}
        self.children, self.reaped = set(), set()
        self._left = {}  # when a look first missed them
        self._statuses = {}  # of those whose burial was announced before

    def look(self):
        """The processes, the first one at the beginning, then by age."""
        now, before = self.clock(), self.seen
        found = map(self._look_at, process.members(self.pid) if self.pid else [])
        self.seen = {one["pid"]: one for one in found if one}
        for pid in before.keys() - self.seen.keys():
            self._miss(before[pid], now)
        self.gone = {pid: one for pid, one in list(self.gone.items())[-MOST_GONE:]
                     if self._left[pid] > now - GONE}
        self.children |= self.seen.keys() - {self.pid}
        return sorted(self.seen.values(), key=lambda one: (one["pid"] != self.pid, one["born"]))

    def _look_at(self, pid):
        """One of them, with what earlier looks know."""
        one, before = process.look(pid, self.clock), self.seen.get(pid)
        if not one:
            return None
        one["killed"] = self.killed.get(pid)
        one["role"] = before["role"] if before else "child"
        if pid == self.pid:
            one["role"] = "parent"
        if one["state"] == "zombie":
            one["ended"] = (before and before["ended"]) or self.clock()
        return one

    def _miss(self, one, now):
        """It was here, and is no more. A child whose parent lives has been waited for; if SIGCHLD
        is ignored, the kernel keeps no zombie, and nobody has to wait."""
        pid, parent = one["pid"], self.seen.get(self.pid)
        status = self._statuses.pop(pid, one["exit_status"])
        reaped = one["ppid"] == self.pid and bool(parent) and "SIGCHLD" not in parent["ignored"]
        if reaped:
            self.reaped.add(pid)
        self._left[pid] = now
        self.gone[pid] = {
            **one, "role": "gone", "was": one["role"], "state": "gone", "call": None, "threads": 0,
            "pending": [], "exit_status": self.exit_status if pid == self.pid else status,
            "killed": self.killed.get(pid), "reaped": reaped, "descriptors": [],
            "ended": one["ended"] or now}

    def find_workers(self):
        """Children that listen are workers. A child of fork listens too, before it closes that."""
        for one in self.seen.values():
            listens = any(held["kind"] == "listening" for held in one["descriptors"])
            if one["role"] == "child" and listens and self.clock() - one["born"] > SETTLED:
                one["role"] = "worker"

    def hear_of(self, pid, status):
        """The server says that it has waited for this child."""
        self.reaped.add(pid)
        if pid in self.seen:  # it was there a moment ago
            self._statuses[pid] = status
        elif pid in self.gone:
            self.gone[pid].update(exit_status=status, reaped=True)
        elif pid not in self.children:  # no look has ever found it
            self.children.add(pid)
            self._left[pid] = self.clock()
            self.gone[pid] = {
                **process.unknown(pid, self.pid), "role": "gone", "was": "child", "state": "gone",
                "exit_status": status, "ended": self.clock(), "reaped": True, "seen": "log"}
