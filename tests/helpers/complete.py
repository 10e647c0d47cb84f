"""The stages that leave out nothing of PEP 3333, and how their tests start and ask them."""

import io
import socket
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse

import psutil
import pytest

import lab
from lab.server import stage_file
from tests.spec.stages import TRACKS


@dataclass(frozen=True)
class Variant:
    """A complete stage, and the options that it is started with.

    keeps_alive   whether a connection stays open for the next request; those that do serve many
                  clients at once, in workers
    threads       how many of them call the application in a worker; 0 if its loop does
    """

    name: str
    stage: str
    options: tuple = ()
    keeps_alive: bool = True
    threads: int = 0

    @property
    def part(self):
        return stage_file(self.stage).parent.name

    @property
    def concurrent(self):
        return self.keeps_alive


ITERATIVE = TRACKS["The complete server"][-1]
LAST_STAGE = TRACKS["The server to use"][-1]
LAST = Variant(LAST_STAGE, LAST_STAGE)
THREADED = Variant(f"{LAST_STAGE}-threads", LAST_STAGE, ("--threads", "4"), threads=4)
COMPLETE = [Variant(ITERATIVE, ITERATIVE, keeps_alive=False), LAST, THREADED]
KEEPING = [variant for variant in COMPLETE if variant.keeps_alive]


def each(variants):
    return pytest.mark.parametrize("stage", variants, ids=lambda variant: variant.name)


every_complete_stage = each(COMPLETE)
every_concurrent_stage = each(KEEPING)
APPS = "tests.apps.various:named"


def arguments(stage, application=APPS, workers=2):
    """The stage's arguments; so many workers where there are workers, whatever the machine."""
    return [*["--workers", str(workers)] * stage.concurrent, *stage.options, application]


@contextmanager
def servers_that_stay():
    """A function that starts a stage as lab.start_stage does, but each only once: it gives the same
    Server again for the same stage, application and options, and a new one if that has died."""
    running, pids = {}, set()
    with ExitStack() as stack:
        def serve(stage, application=APPS, **options):
            key = (stage.name, application, *sorted(options.items()))
            if key not in running or running[key].exit_status is not None:
                running[key] = stack.enter_context(
                    lab.start_stage(stage.stage, *arguments(stage, application), **options))
                stack.callback(lambda server=running[key]: pids.update(server.members()))
                if stage.concurrent:  # its workers come one after another
                    lab.eventually(lambda: len(lab.children(running[key].pid)) == 2)
            return running[key]
        yield serve
    left = lab.eventually(lambda: not [pid for pid in pids if psutil.pid_exists(pid)], 20)
    assert left, f"Of the servers' processes {pids} some are still there 20 s after the end."


def fetch(server, path="/", method="GET", body=None, headers=(), **options):
    """One request as the standard library makes it; the HTTPResponse, with all of its `body`.

    Asks the server to close the connection, for an iterative stage will. Options are those of
    HTTPConnection.request. Raises http.client.IncompleteRead if the body is cut short.
    """
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as client:
        client.request(method, path, body, {"Connection": "close", **dict(headers)}, **options)
        answer = client.getresponse()
        answer.body = answer.read()
        return answer


class Incoming(io.RawIOBase):
    """What comes on a connection, as a file; to close it leaves the connection open."""

    def __init__(self, client):
        self.client = client

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.client.recv_into(buffer)


class Stream(io.BufferedReader):
    """What comes on a connection, as a socket and file that HTTPResponse may use and close."""

    def __init__(self, client):
        super().__init__(Incoming(client))

    def makefile(self, mode):
        return self

    def close(self):
        pass


def next_answer(stream, method="GET"):
    """The next of several answers on a connection; the HTTPResponse, with all of its `body`."""
    answer = HTTPResponse(stream, method=method)
    answer.begin()
    answer.body = answer.read()
    return answer


def head(*lines, start=b"GET /hello HTTP/1.1", host=b"Host: localhost"):
    """The head of a request: its request line, Host, these lines, and the empty one."""
    return b"".join(line + b"\r\n" for line in [start, host, *lines, b""])


def line(start):
    """A request with this request line."""
    return head(start=start)


def post(*lines, body=b"body"):
    return head(*lines, start=b"POST /hello HTTP/1.1") + body


def chunks(body, *lines):
    """A request whose body comes in chunks: these bytes."""
    return post(b"Transfer-Encoding: chunked", *lines, body=body)


def drip(client, data, pause):
    """Send a byte every `pause` seconds, until the server says something; all that it says then.

    Reads to the end of the connection, within its timeout.
    """
    patience = client.gettimeout()
    client.settimeout(pause)
    answer = b""
    with suppress(ConnectionError):
        for byte in data:
            client.sendall(bytes([byte]))
            with suppress(TimeoutError):
                answer = client.recv(65536)
                break
    client.settimeout(patience)
    return answer + lab.read_until(client, b"no such end")


def in_pieces(port, pieces, pause=0.003, timeout=10):
    """An Answer to a request that comes in these pieces, a packet each."""
    answer, start = lab.Answer(), time.monotonic()
    with lab.connect(port, timeout=timeout) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # a server that has refused need not take the rest
            for piece in pieces:
                client.sendall(piece)
                time.sleep(pause)
            client.shutdown(socket.SHUT_WR)
        try:
            while block := client.recv(65536):
                answer.data += block
            answer.end = time.monotonic() - start
        except OSError as error:
            answer.error = error
    return answer
