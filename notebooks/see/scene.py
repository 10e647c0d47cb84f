"""The servers on the stage, one or two side by side; what is done to them; and the recording.

A process counts as its own, and may be signalled, if it is in the session of one of its servers.
"""

import itertools
import threading
import time
import traceback
from contextlib import contextmanager, suppress

import lab
from see import sockets
from see.actions import perform
from see.play import Refused, is_of_a_taken_port
from see.recording import Recording
from see.watched import Watched

EVERY = 0.125  # seconds from one look to the next
UNWATCHED = 1  # the same while no page asks
FORGOTTEN = 5  # seconds after which a page that has not asked is closed
SHARE, SAVED = 0.04, 1  # of a core, for looking; and seconds that may be saved up for a storm
MOST_DONE = 30  # of what was done, so much is told
PORT = 8888


class Clock:
    """Seconds since the recording began. Linux counts a process's start in the same clock."""

    def __init__(self):
        self._now = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        self.origin = time.clock_gettime(self._now)

    def __call__(self):
        return round(time.clock_gettime(self._now) - self.origin, 3)


class Scene:
    """The stage. look() once in a while, and do() what a reader asks for."""

    def __init__(self, plays, own_port):
        self.own_port = own_port
        self.clock = Clock()
        self.recording = Recording(self.clock, 1 / EVERY)
        self.watched, self.done = [], []
        self.pages = {}  # when each has asked last
        self._numbers, self._deeds = itertools.count(1), itertools.count(1)
        self._changing, self._paging = threading.Lock(), threading.Lock()
        self._over, self._wake = threading.Event(), threading.Event()
        self._looks = threading.Thread(target=self._look_on, daemon=True)
        self._looks.start()
        threading.Thread(target=self._begin, args=(plays,), daemon=True).start()

    def _begin(self, plays):
        with self.changing(), suppress(Refused):
            for place, play in enumerate(plays):
                self.put(play, place)

    @contextmanager
    def changing(self):
        """Who starts and ends servers, does it alone."""
        if not self._changing.acquire(timeout=1):
            raise Refused("Another server is being started or ended. Try again in a moment.")
        try:
            if self._over.is_set():
                raise Refused("All of this is ending.")
            yield
        finally:
            self._changing.release()

    def do(self, wish):
        """What a page asks for; the entries of `done` that came of it. Raises Refused."""
        began, deeds = self.clock(), perform(self, wish)
        entries = [{"number": next(self._deeds), "time": began, "server": name, "words": words,
                    "command": command} for name, words, command in deeds]
        self.done = [*self.done, *entries][-MOST_DONE:]
        self._wake.set()
        return entries

    def put(self, play, place):
        """Start a server in that place; what stands there ends. The Watched."""
        old = self.watched[place:place + 1]
        for watched in old:
            watched.stop()
        for port in self._ports(old):
            watched = Watched(play, port, self.clock, lambda: next(self._numbers))
            self.watched[place:place + 1] = [watched]
            watched.start()
            if not is_of_a_taken_port(watched.trouble):
                return watched
            watched.stop()
        raise Refused("There is no free port.")

    def remove(self, watched):
        watched.stop()
        self.watched.remove(watched)

    def _ports(self, old):
        """The one that was there already, then those that nobody listens on."""
        yield from [watched.port for watched in old]
        taken = {watched.port for watched in self.watched} | {self.own_port}
        for port in range(PORT, PORT + 1000):
            if port not in taken and not lab.listeners(port):
                yield port

    def close(self):
        """Nothing of all this runs any more."""
        self._over.set()
        self._wake.set()
        with self._changing:
            for watched in self.watched:
                watched.stop()

    def _look_on(self):
        """Look again and again, for SHARE of a core in the long run."""
        saved, before = SAVED, time.monotonic()
        while not self._over.is_set():
            cost = time.thread_time()
            try:
                self.look()
            except Exception:  # whatever it is: the next look may be better
                traceback.print_exc()
            cost = time.thread_time() - cost
            pause = EVERY if self.is_watched() else UNWATCHED
            self._wake.wait(max(pause, (cost - saved) / SHARE))
            self._wake.clear()
            now = time.monotonic()
            saved, before = min(SAVED, saved - cost + SHARE * (now - before)), now

    def look(self):
        stage = list(self.watched)
        found = sockets.look([watched.port for watched in stage]) if stage else {}
        servers = [watched.look(*found[watched.port]) for watched in stage]
        self.recording.add(self.clock(), servers, self.done)

    def heed(self, page, most):
        """A page asks, and is looked for; False if there are so many that this one is too much."""
        now = self.clock()
        with self._paging:
            self.pages = {one: asked for one, asked in self.pages.items()
                          if now - asked < FORGOTTEN}
            if page not in self.pages and len(self.pages) >= most:
                return False
            if page not in self.pages:
                self._wake.set()
            self.pages[page] = now
            return True

    def is_watched(self):
        now = self.clock()
        return any(now - asked < FORGOTTEN for asked in list(self.pages.values()))
