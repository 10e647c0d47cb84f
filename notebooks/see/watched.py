"""One server on the stage, its clients, and what is remembered of its family between two looks."""

import re
import threading
from contextlib import suppress

import lab
from see import family, sockets
from see.crowd import Crowd
from see.play import LIMITS
from see.sentences import sentences

GONE = 3  # seconds that a process is told of after it is gone
MOST_GONE = 400
SETTLED = 0.2  # seconds after which a child that still listens is a worker
TIME_WAITS = 16  # of such connections so many are told of
LINES, LONG = 40, 300  # so many lines of output a moment, so many characters a line
BURIED = re.compile(r"(?:Reaped child|Worker) (\d+)(?: died)?, status (-?\d+)")


class Watched:
    """A server, from its start to its end. clock() is the time of the recording."""

    def __init__(self, play, port, clock, numbers):
        self.play, self.port, self.clock = play, port, clock
        self.server, self.trouble = None, None
        self.crowd = Crowd(port, clock, numbers)
        self.read, self.rest = [0, 0], ["", ""]  # of standard output and error
        self.last_words = ""
        self.family, self.gone = {}, {}  # by PID: as they were seen last
        self.left = {}  # when a look first missed them
        self.statuses = {}  # of those whose burial was announced
        self.children, self.reaped = set(), set()
        self.killed = {}  # what state they were in when somebody killed them from the page
        self.before = over(sockets.look([port])[port][1])  # of a server before this one
        self.over, self.stopping = False, threading.Lock()

    def start(self):
        """Start it and wait until it listens. Where that fails, `trouble` says why."""
        limits = LIMITS if self.play.limited else {}
        try:
            self.server = lab.Server(self.play.command, port=self.port, SEE_SERVER="1",
                                     honest=bool(self.play.stage), **limits, **self.play.settings())
            self.server.wait_until_ready()
            self.wait_until_it_is_ours()
        except lab.ServerError as error:
            self.trouble = str(error)

    def wait_until_it_is_ours(self):
        """Somebody else may have been faster, and what listens on the port is his."""
        def is_ours():
            inodes = {f"socket:[{one.inode}]" for one in sockets.look([self.port])[self.port][0]}
            return any(inodes & set(lab.descriptors(pid).values())
                       for pid in family.members(self.pid))

        with suppress(lab.CannotSee):
            lab.eventually(lambda: self.server.exit_status is not None or is_ours(), 15)
        if self.server.exit_status is not None:
            raise lab.ServerError(f"{self.play.words} ended with status {self.server.exit_status}."
                                  f"\n{self.server.stderr[-2000:]}")

    def port_is_taken(self):
        """Whether it could not be started because somebody else had its port."""
        return bool(self.trouble) and ("is taken" in self.trouble
                                       or "already in use" in self.trouble)

    def stop(self):
        """Nothing of it runs any more."""
        self.crowd.close()
        self.let_go()

    def let_go(self):
        """End what is left of its processes. Their numbers are no business of ours from now on."""
        with self.stopping:
            if self.server and not self.over:
                self.server.stop()
                self.over = True

    @property
    def pid(self):
        return self.server.pid if self.server else None

    def look(self, listeners, ends):
        """One of the `servers` of a moment, without the ages; the sockets are on its port."""
        processes = self.look_at_family()
        ends = self.pair(ends, processes)
        self.tell_apart(processes, {one.inode for one in listeners}, ends)
        said = self.listen()
        parent = next((one for one in processes if one["pid"] == self.pid), None)
        status = self.server.exit_status if self.server else None
        seen = {
            "name": self.play.name, "idea": self.play.idea,
            "command": self.play.in_a_terminal(self.port), "port": self.port, "pid": self.pid,
            "running": bool(self.server) and status is None, "exit_status": status,
            "trouble": self.trouble, "last_words": self.last_words if status is not None else "",
            "frozen": bool(parent) and parent["state"] == "stopped",
            "delay": self.play.delay,
            "limited": self.play.limited, "limits": LIMITS,
            "processes": [*processes, *map(dict, self.gone.values())],
            "queue": queue(listeners, ends), "connections": few(ends),
            "requests": self.crowd.requests(), "counts": self.count(parent, processes, ends),
            "said": said}
        seen["sentences"] = sentences(seen, self.clock())
        if status is not None and not processes:
            self.let_go()
        return seen

    def look_at_family(self):
        """Its processes, the parent first; who was here at the look before and is not, is gone."""
        now = self.clock()
        seen = {}
        if self.server and not self.over:
            looks = (family.look(pid, self.clock) for pid in family.members(self.pid))
            seen = {one["pid"]: one for one in looks if one}
        for pid in self.family.keys() - seen.keys():
            self.say_farewell(self.family[pid], now)
        self.gone = {pid: one for pid, one in list(self.gone.items())[-MOST_GONE:]
                     if self.left[pid] > now - GONE}
        self.children |= seen.keys() - {self.pid}
        for pid, one in seen.items():
            one["killed"] = self.killed.get(pid)
            if one["state"] == "zombie":
                one["ended"] = (pid in self.family and self.family[pid]["ended"]) or now
        return sorted(seen.values(), key=lambda one: (one["pid"] != self.pid, one["born"]))

    def say_farewell(self, one, now):
        """One of the family was here, and is no more. Who was a child, has been waited for."""
        pid = one["pid"]
        status = self.server.exit_status if pid == self.pid else self.statuses.pop(
            pid, one["exit_status"])
        reaped = pid != self.pid and one["ppid"] == self.pid and self.server.exit_status is None
        if reaped:
            self.reaped.add(pid)
        self.gone[pid] = {**one, "role": "gone", "was": one["role"], "state": "gone",
                          "call": None, "threads": 0, "pending": [], "exit_status": status,
                          "killed": self.killed.get(pid), "reaped": reaped,
                          "descriptors": [], "ended": one["ended"] or now}
        self.left[pid] = now

    def tell_apart(self, processes, listening, ends):
        """Say of each descriptor whether it listens or is a connection; then who is a worker."""
        connected = {end["inode"] for end in ends if end["inode"]}
        for one in processes:
            listens = False
            for descriptor in one["descriptors"]:
                if descriptor["inode"] in listening:
                    descriptor["kind"], listens = "listening", True
                elif descriptor["inode"] in connected:
                    descriptor["kind"] = "connection"
            was = self.family.get(one["pid"])
            settled = self.clock() - one["born"] > SETTLED
            if one["pid"] == self.pid:
                one["role"] = "parent"
            elif (was and was["role"] == "worker") or (listens and settled):
                one["role"] = "worker"
        self.family = {one["pid"]: one for one in processes}

    def pair(self, ends, processes):
        """The connections to its port, each once, and in it who holds the server's end."""
        held = {}
        for one in processes:
            for descriptor in one["descriptors"]:
                held.setdefault(descriptor["inode"], []).append(one["pid"])
        self.before &= over(ends)
        found = {}
        for end in ends:
            if (end.local, end.foreign) in self.before:
                continue
            if end.local[1] == self.port:
                one = found.setdefault(end.foreign, blank(end.local, end.foreign))
                one.update(state=end.state, inode=end.inode,
                           held_by=held.get(end.inode, []) if end.inode else [])
            elif end.foreign[0].startswith("127."):
                one = found.setdefault(end.local, blank(end.foreign, end.local))
                one["client_state"] = end.state
        ours = self.crowd.recognize({port for _, port in found})
        for (_, port), one in found.items():
            one["client"] = ours.get(port)
        return sorted(found.values(), key=lambda one: (one["client"] or 0, one["foreign"]))

    def count(self, parent, processes, ends):
        waits = sum(is_over(end) for end in ends)
        return {"descriptors": len(parent["descriptors"]) if parent else 0,
                "processes": len(processes),
                "zombies": sum(one["state"] == "zombie" for one in processes),
                "connections": len(ends) - waits, "time_wait": waits,
                "clients": self.crowd.open(), "asked": self.crowd.asked,
                "served": self.crowd.served, "failed": self.crowd.failed,
                "children": len(self.children), "reaped": len(self.reaped)}

    def listen(self):
        """The lines that it has printed since the last look. Some tell of burials."""
        lines = []
        for number in (0, 1) if self.server else ():
            text, self.read[number] = self.server.said_after(self.read[number], number)
            *whole, rest = (self.rest[number] + text).split("\n")
            self.rest[number] = rest[:LONG]
            lines += [line.rstrip("\r")[:LONG] for line in whole]
            if number and whole:
                self.last_words = whole[-1][:LONG]
        for line in lines:
            if told := BURIED.match(line):
                self.hear_of(int(told[1]), int(told[2]))
        if len(lines) > LINES:
            lines = [f"... {len(lines) - LINES} lines", *lines[-LINES:]]
        return lines

    def hear_of(self, pid, status):
        """It says that it has waited for this child."""
        now = self.clock()
        self.reaped.add(pid)
        if pid in self.family:  # it was there a moment ago
            self.statuses[pid] = status
        elif pid in self.gone:
            self.gone[pid].update(exit_status=status, reaped=True)
        elif pid not in self.children:  # no look has ever found it
            self.children.add(pid)
            self.gone[pid] = {
                "pid": pid, "ppid": self.pid, "role": "gone", "was": "child", "state": "gone",
                "born": None, "call": None, "threads": 0, "pending": [], "blocked": [],
                "caught": [], "exit_status": status, "ended": now, "reaped": True, "killed": None,
                "seen": "log", "descriptors": []}
            self.left[pid] = now


def over(ends):
    return {(end.local, end.foreign) for end in ends if end.state == "TIME_WAIT"}


def queue(listeners, ends):
    if not listeners or listeners[0].waiting is None:
        return None
    return {"waiting": sum(one.waiting for one in listeners), "backlog": listeners[0].backlog,
            "outside": sum(is_outside(end) for end in ends)}


def blank(local, foreign):
    return {"inode": 0, "local": local, "foreign": foreign, "state": None, "client_state": None,
            "held_by": [], "client": None}


def is_outside(end):
    """Not let in: its SYN has no answer, or its own answer to that one was dropped."""
    return end["client_state"] == "SYN_SENT" or end["state"] == "SYN_RECV"


def is_over(end):
    return "TIME_WAIT" in (end["state"], end["client_state"])


def few(ends):
    """The connections, but not more than TIME_WAITS of those that are over."""
    return ([end for end in ends if not is_over(end)]
            + [end for end in ends if is_over(end)][-TIME_WAITS:])
