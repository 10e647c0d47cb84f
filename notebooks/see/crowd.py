"""The clients that the buttons send: one thread waits for all of them.

A client is told by its number. What it does goes into a request, a dictionary as in moment.py.
"""

import errno
import os
import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress

import lab
from lab.clients import REQUEST

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
REQUEST_TO_STAY = REQUEST.replace(b"Connection: close\r\n", b"")
MOST = 1000  # clients with an open end, for one server
SLOWLY = 0.25  # seconds between two bytes of a slow client
KEPT = 15  # seconds that a request is told of after its end
WORDS = {errno.ECONNREFUSED: "refused: nobody listens there",
         errno.ECONNRESET: "reset by the server",
         errno.EPIPE: "the server had left",
         errno.ETIMEDOUT: "gave up: its SYN was never answered"}


class Client:
    """One connection, and what has come of it."""

    def __init__(self, number, kind, began):
        self.kind = kind
        self.unsent = {"silent": b"", "held": REQUEST_TO_STAY}.get(kind, REQUEST)
        self.next_byte = 0  # when a slow one sends it
        self.head = b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.request = {"client": number, "kind": kind, "began": began, "connected": None,
                        "first_byte": None, "end": None, "status": None, "error": None,
                        "open": True, "port": None, "seen": "log"}

    def connect(self, port):
        code = self.socket.connect_ex(("127.0.0.1", port))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        self.request["port"] = self.socket.getsockname()[1]

    def finish_connecting(self, now):
        if code := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))
        self.request["connected"] = now

    def send(self):
        """As much as it may send now; whether there is more."""
        piece = self.unsent[:1] if self.kind == "slow" else self.unsent
        self.unsent = self.unsent[self.socket.send(piece):]
        self.next_byte = time.monotonic() + SLOWLY
        return bool(self.unsent)

    def receive(self, now):
        """Whether the server has sent the end."""
        block = self.socket.recv(65536)
        if block and self.request["first_byte"] is None:
            self.request["first_byte"] = now
        if len(self.head) < 12:  # HTTP/1.1 200
            self.head += block[:12]
            words = self.head.split()
            if len(words) > 1 and len(words[1]) == 3 and words[1].isdigit():
                self.request["status"] = int(words[1])
        return not block


class Crowd:
    """The clients of one server. clock() is the time of the recording, numbers() the next one."""

    def __init__(self, port, clock, numbers):
        self.port, self.clock, self.numbers = port, clock, numbers
        self.asked = self.served = self.failed = 0
        self._clients, self._over = {}, deque()  # by their numbers; the requests of those that left
        self._told, self._lock = deque(), threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._selector.register(self._woken, READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def send(self, kind, count):
        """Let so many clients go at once; how many of them there was room for."""
        with self._lock:
            count = max(0, min(count, MOST - len(self._clients) - len(self._told)))
        self._tell(*[kind] * count)
        return count

    def hang_up(self):
        """All that are there close their ends."""
        self._tell("hang up")

    def close(self):
        """Hang up, and end the thread."""
        self._tell("hang up", "leave")
        self._thread.join()

    def open(self):
        """How many clients have their end open."""
        return len(self._clients)

    def requests(self):
        """What they do, and what they did KEPT seconds ago or later, in the order of numbers."""
        since = self.clock() - KEPT
        with self._lock:
            while self._over and self._over[0]["end"] < since:
                self._over.popleft()
            found = [*self._over, *(client.request for client in self._clients.values())]
            return sorted((dict(request) for request in found), key=lambda one: one["client"])

    def recognize(self, ports):
        """The kernel shows connections of these ports: {port: number} of the clients of ours."""
        ours = {}
        with self._lock:
            for request in [*self._over, *(one.request for one in self._clients.values())]:
                if request["port"] in ports:
                    request["seen"] = "kernel"
                    ours[request["port"]] = request["client"]  # the latest, if two had the same
        return ours

    def _tell(self, *words):
        with self._lock:
            self._told.extend(words)
        with suppress(OSError):
            self._waker.send(b"!")

    def _run(self):
        leaving = False
        while not leaving:
            for key, events in self._selector.select(self._patience()):
                if key.data is None:
                    self._woken.recv(4096)
                else:
                    self._go_on(key.data, events)
            self._wake_the_slow()
            while self._told:
                leaving |= self._heed(self._told.popleft())
        self._selector.close()
        self._waker.close()
        self._woken.close()

    def _heed(self, word):
        """What another thread asks for; whether it is to leave."""
        if word == "hang up":
            for client in list(self._clients.values()):
                self._leave(client, None)
        elif word != "leave":
            self._begin(word)
        return word == "leave"

    def _begin(self, kind):
        client = None
        self.asked += 1
        try:
            client = Client(self.numbers(), kind, self.clock())
            with self._lock:
                self._clients[client.request["client"]] = client
            client.connect(self.port)
            self._selector.register(client.socket, WRITE, client)
        except OSError as error:
            if client:
                self._leave(client, error)

    def _go_on(self, client, events):
        now = self.clock()
        try:
            if client.request["connected"] is None:
                client.finish_connecting(now)
            if events & WRITE and client.unsent:
                client.send()
                if client.kind == "reset":
                    self._leave(client, "went away with RST")
                    return
            if events & READ:
                answered = client.request["first_byte"] is not None
                over = client.receive(now)
                self.served += not answered and client.request["first_byte"] is not None
                if over:
                    self._end(client, now)
                    return
            self._wait(client)
        except BlockingIOError:
            return
        except OSError as error:
            self._leave(client, error)

    def _wait(self, client):
        """For what comes, and until more may be sent; a slow one sends when it is time."""
        sends = client.unsent and client.kind != "slow"
        self._selector.modify(client.socket, READ | (WRITE if sends else 0), client)

    def _wake_the_slow(self):
        now = time.monotonic()
        for client in list(self._clients.values()):
            if client.kind == "slow" and client.unsent and client.request["connected"] is not None \
                    and client.next_byte <= now:
                self._go_on(client, WRITE)

    def _patience(self):
        slow = any(client.kind == "slow" and client.unsent for client in self._clients.values())
        return SLOWLY / 2 if slow else None

    def _end(self, client, now):
        """The server has closed. Who holds on keeps its own end open nevertheless."""
        if client.request["end"] is None:
            client.request["end"] = now
            if client.request["first_byte"] is None:
                client.request["error"] = "closed without an answer"
        if client.kind == "held":
            self._selector.unregister(client.socket)
        else:
            self._leave(client, None)

    def _leave(self, client, why):
        with suppress(KeyError, ValueError):
            self._selector.unregister(client.socket)
        if client.kind == "reset":
            lab.reset(client.socket)
        client.socket.close()
        request = client.request
        with self._lock:
            del self._clients[request["client"]]
            request.update(open=False, end=self.clock() if request["end"] is None
                           else request["end"])
            if why is None and request["first_byte"] is None:
                why = request["error"] or "left without an answer"
            if why:
                request["error"] = WORDS.get(getattr(why, "errno", None), str(why))
            self._over.append(request)
        if request["first_byte"] is None:
            self.failed += 1
