"""One server on the stage, with its clients."""

import re
import threading
from contextlib import suppress

import lab
from see import process, sockets
from see.crowd import Crowd
from see.family import Family
from see.play import LIMITS
from see.sentences import sentences

TIME_WAITS = 16  # of such connections so many are told of
LINES, LONG = 40, 300  # so many lines of output a moment, so many characters a line
BURIED = re.compile(r"(?:Reaped child|Worker) (\d+)(?: died)?, status (-?\d+)")


class Watched:
    """A server, from its start to its end. clock() is the time of the recording."""

    def __init__(self, play, port, clock, numbers):
        self.play, self.port, self.clock = play, port, clock
        self.server, self.trouble = None, None
        self.family, self.crowd = Family(clock), Crowd(port, clock, numbers)
        self.listens = False  # whether one of its processes does, as far as is known
        self.read, self.rest = [0, 0], ["", ""]  # of standard output and error
        self.last_words = ""
        self.before = clients(sockets.look([port])[port][1], port)  # of a server before this one
        self.over, self.stopping = False, threading.Lock()

    def start(self):
        """Start it and wait until it listens. Where that fails, `trouble` says why."""
        limits = LIMITS if self.play.limited else {}
        try:
            self.server = lab.Server(self.play.command, port=self.port, SEE_SERVER="1",
                                     honest=bool(self.play.stage), **limits, **self.play.settings())
            self.family.pid = self.server.pid
            self.server.wait_until_ready()
            self.wait_until_the_port_is_its_own()
            self.listens = True
        except lab.ServerError as error:
            self.trouble = str(error)

    def wait_until_the_port_is_its_own(self):
        """Somebody else may have been faster, and what listens on the port is his."""
        def holds_it():
            inodes = {f"socket:[{one.inode}]" for one in sockets.look([self.port])[self.port][0]}
            return any(inodes & set(lab.descriptors(pid).values())
                       for pid in process.members(self.pid))

        with suppress(lab.CannotSee):
            lab.eventually(lambda: self.server.exit_status is not None or holds_it(), 15)
        if self.server.exit_status is not None:
            raise lab.ServerError(f"{self.play.words} ended with status {self.server.exit_status}."
                                  f"\n{self.server.stderr[-2000:]}")

    def stop(self):
        """Nothing of it runs any more."""
        self.crowd.close()
        self.let_go()

    def let_go(self):
        """End what is left of its processes. Their numbers are no business of ours from now on."""
        with self.stopping:
            if self.server and not self.over:
                self.server.stop()
                self.over, self.family.pid = True, None

    @property
    def pid(self):
        return self.server.pid if self.server else None

    def look(self, listeners, ends):
        """One of the `servers` of a moment, without the ages; the sockets are on its port."""
        status = self.family.exit_status = self.server.exit_status if self.server else None
        processes = self.family.look()
        name_sockets(processes, listeners, ends)
        self.family.find_workers()
        pairs = self.pair(ends, processes)
        said = self.listen()
        self.listens = any(held["kind"] == "listening" for one in processes
                           for held in one["descriptors"])
        seen = {
            **self.about(status), "limits": LIMITS,
            "frozen": any(one["role"] == "parent" and one["state"] == "stopped"
                          for one in processes),
            "processes": [*processes, *map(dict, self.family.gone.values())],
            "queue": queue(listeners, pairs) if self.listens else None, "connections": few(pairs),
            "requests": self.crowd.requests(), "counts": self.count(processes, pairs),
            "said": said}
        seen["sentences"] = sentences(seen, self.clock())
        if status is not None and not processes:
            self.let_go()
        return seen

    def about(self, status):
        return {"name": self.play.name, "idea": self.play.idea,
                "command": self.play.in_a_terminal(self.port), "port": self.port, "pid": self.pid,
                "running": bool(self.server) and status is None, "exit_status": status,
                "trouble": self.trouble, "delay": self.play.delay, "limited": self.play.limited,
                "last_words": self.last_words if status is not None else ""}

    def pair(self, ends, processes):
        """The connections to its port, each once, and in it who holds the server's end."""
        held, found = {}, {}
        for one in processes:
            for descriptor in one["descriptors"]:
                held.setdefault(descriptor["inode"], []).append(one["pid"])
        for end in ends:
            if end.local[1] == self.port:
                one = found.setdefault(end.foreign, blank(end.local, end.foreign))
                one.update(state=end.state, inode=end.inode,
                           held_by=held.get(end.inode, []) if end.inode else [])
            elif end.foreign[0].startswith("127."):
                one = found.setdefault(end.local, blank(end.foreign, end.local))
                one["client_state"] = end.state
        ours = self.crowd.recognize({port for _, port in found})
        self.before = {client for client in self.before & found.keys() if client[1] not in ours}
        for client, one in found.items():
            one["client"] = ours.get(client[1])
        return sorted((one for client, one in found.items() if client not in self.before),
                      key=lambda one: (one["client"] or 0, one["foreign"]))

    def count(self, processes, pairs):
        waits = sum(map(is_over, pairs))
        return {"descriptors": sum(len(one["descriptors"]) for one in processes
                                   if one["role"] == "parent"),
                "processes": len(processes),
                "zombies": sum(one["state"] == "zombie" for one in processes),
                "connections": len(pairs) - waits, "time_wait": waits,
                "clients": self.crowd.open(), "asked": self.crowd.asked,
                "served": self.crowd.served, "failed": self.crowd.failed,
                "children": len(self.family.children), "reaped": len(self.family.reaped)}

    def listen(self):
        """The lines that it has printed since the last look. Some tell of burials."""
        lines = []
        for number in (0, 1) if self.server else ():
            text, self.read[number] = self.server.said_after(self.read[number], bool(number))
            *whole, rest = (self.rest[number] + text).split("\n")
            self.rest[number] = rest[:LONG]
            lines += [line.rstrip("\r")[:LONG] for line in whole]
            if number and whole:
                self.last_words = whole[-1][:LONG]
        for line in lines:
            if told := BURIED.match(line):
                self.family.hear_of(int(told[1]), int(told[2]))
        if len(lines) > LINES:
            lines = [f"... {len(lines) - LINES} lines", *lines[-LINES:]]
        return lines


def name_sockets(processes, listeners, ends):
    """Say of the descriptors which of them listen, and which are connections."""
    kinds = {end.inode: "connection" for end in ends if end.inode}
    kinds.update({one.inode: "listening" for one in listeners})
    for one in processes:
        for descriptor in one["descriptors"]:
            descriptor["kind"] = kinds.get(descriptor["inode"], descriptor["kind"])


def clients(ends, port):
    """The addresses of those who are, or were, connected to that port."""
    return {end.foreign if end.local[1] == port else end.local for end in ends}


def queue(listeners, pairs):
    if not listeners or listeners[0].waiting is None:
        return None
    return {"waiting": sum(one.waiting for one in listeners), "backlog": listeners[0].backlog,
            "outside": sum(map(is_outside, pairs))}


def blank(local, foreign):
    return {"inode": 0, "local": local, "foreign": foreign, "state": None, "client_state": None,
            "held_by": [], "client": None}


def is_outside(pair):
    """Not let in: its SYN has no answer, or its own answer to that one was dropped."""
    return pair["client_state"] == "SYN_SENT" or pair["state"] == "SYN_RECV"


def is_over(pair):
    return "TIME_WAIT" in (pair["state"], pair["client_state"])


def few(pairs):
    """The connections, but not more than TIME_WAITS of those that are over."""
    return ([pair for pair in pairs if not is_over(pair)]
            + [pair for pair in pairs if is_over(pair)][-TIME_WAITS:])
