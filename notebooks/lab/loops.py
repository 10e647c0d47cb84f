"""A loop of the reader's own in the server that sleeps, 3b, and what three clients get of it."""

import re
import time
from collections import Counter, namedtuple
from contextlib import ExitStack, suppress
from textwrap import dedent, indent

from lab.clients import REQUEST, connect
from lab.kernel import eventually, process, sleeps_in
from lab.server import Server, ServerError
from lab.source import changed, excerpt

PATIENCE = 1  # seconds: the server does not sleep here, so that all comes at once or never
GOT = ["the answer, and then the end", "the answer, and no end", "the end, and no answer",
       "neither answer nor end"]
MOST_LINES = 8  # of what a server says
HEAD = "def serve_forever(listen_socket):\n    while True:\n"
FORK_IS_COUNTED = """
import mmap
forks, os_fork = mmap.mmap(-1, 1), os.fork  # the number is in memory that all processes share

def counted_fork():
    if forks[0] == 60:
        raise OSError("It has forked 60 times, for three clients. Here that is the most.")
    forks[0] += 1
    return os_fork()

os.fork = counted_fork

"""

Tried = namedtuple("Tried", "second third server")  # each a text, as it was printed


def with_loop(body):
    """The command that runs 3b with these lines in the loop of its serve_forever.

    A loop that forks and forks would take the machine with it: os.fork fails after 60 times.
    Raises SyntaxError if they are no Python; its lineno counts the lines of the body.
    """
    loop = HEAD + indent(dedent(body), " " * 8)
    try:
        compile(loop, "the loop", "exec")
    except SyntaxError as error:
        error.lineno -= HEAD.count("\n")
        raise
    return changed("3b", excerpt("3b", "serve_forever"), FORK_IS_COUNTED + loop)


def try_loop(body):
    """Send three clients to with_loop(body), and print what they get and what it does; a Tried.

    The first client says nothing, and stays. The others ask, one after the other.
    """
    try:
        command = with_loop(body)
    except SyntaxError as error:
        print(f"The server does not start: {error.msg}, in line {error.lineno}.")
        return Tried(GOT[3], GOT[3], "does not start")
    with Server(command, honest=True, DELAY=0, PYTHONUNBUFFERED=1) as server, ExitStack() as ends:
        with suppress(ServerError, ConnectionError):  # if it has ended, that is told below
            server.wait_until_ready()
            ends.enter_context(connect(server.port))
        tried = Tried(get(server.port), get(server.port), fate(server))
        said = words_of(server)
    print("client 1 says nothing, and stays")
    print(f"client 2 asks, and gets {tried.second}\nclient 3 asks, and gets {tried.third}")
    print(f"the server {tried.server}")
    for words, times in said.most_common(MOST_LINES):
        print(f"it said, {times} x: {words}")
    return tried


def get(port):
    """What a client gets that asks: one of GOT."""
    data, ended = b"", True
    try:
        with connect(port, timeout=PATIENCE) as client:
            client.sendall(REQUEST)
            while block := client.recv(65536):
                data += block
    except TimeoutError:
        ended = False
    except ConnectionError:  # reset, or refused: an end as well
        pass
    return GOT[2 * (not data) + (not ended)]


def fate(server):
    """Whether a server runs, and in which calls its processes sleep, where one can see it."""
    eventually(lambda: rests(server), within=1)
    alive = living(server)
    calls = Counter(filter(None, (sleeps_in(one.pid) for one in alive)))
    where = ", ".join(f"{number} asleep in {call}" for call, number in sorted(calls.items()))
    many = f"{len(alive)} process{'es' * (len(alive) != 1)}" + f": {where}" * bool(where)
    if server.exit_status is None:
        return f"runs as {many}"
    left = f"; it has left {many}" if alive else ""
    return f"has ended, with exit status {server.exit_status}{left}"


def rests(server):
    """Whether all processes of a server sleep that are left, now and a moment later: a child that
    is about to end may seem to sleep as well."""
    if not sleeps(server):
        return False
    time.sleep(0.05)
    return sleeps(server)


def sleeps(server):
    """Whether a server is there or has ended, and all of its processes that are left sleep."""
    alive = [one.pid for one in living(server)]
    return (server.pid in alive or server.exit_status is not None) and all(map(sleeps_in, alive))


def living(server):
    """The processes of a server that have not ended, as a list of lab.Process."""
    seen = [process(pid) for pid in server.members()]
    return [one for one in seen if one and one.state != "zombie"]


def words_of(server):
    """How often a server has said what: errors, without where they came from, and what it printed,
    without the requests."""
    asked = REQUEST.decode().splitlines()
    errors = re.findall(r"^(?!Traceback)\S.*", server.stderr, re.MULTILINE)
    printed = [line for line in server.stdout.splitlines()
               if line and line not in asked and not line.startswith("Serving HTTP")]
    return Counter(errors + printed)
