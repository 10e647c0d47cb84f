"""A loop of the reader's own in the server that sleeps, 3b, and what three clients get of it."""

from collections import Counter, namedtuple
from textwrap import dedent, indent

from lab.clients import REQUEST, connect
from lab.kernel import eventually, process, sleeps_in
from lab.server import ServerError, start
from lab.source import changed, excerpt

PATIENCE = 1  # seconds: the server does not sleep here, so that all comes at once or never
GOT = ["the answer, and then the end", "the answer, and no end", "the end, and no answer",
       "neither answer nor end"]
HEAD = "def serve_forever(listen_socket):\n    while True:\n"

Tried = namedtuple("Tried", "second third server")  # each a text, as it was printed


def with_loop(body):
    """The command that runs 3b with these lines in the loop of its serve_forever.

    Raises SyntaxError if they are no Python.
    """
    loop = HEAD + indent(dedent(body), " " * 8)
    compile(loop, "the loop", "exec")
    return changed("3b", excerpt("3b", "serve_forever"), loop)


def try_loop(body):
    """Send three clients to with_loop(body), and print what they get and what it does; a Tried.

    The first client says nothing, and stays. The others ask, one after the other.
    """
    try:
        server = start(with_loop(body), DELAY=0)
    except (ServerError, SyntaxError) as reason:
        print(f"The server does not start: {str(reason).splitlines()[-1]}")
        return Tried(GOT[3], GOT[3], "does not start")
    with server, connect(server.port):
        tried = Tried(get(server.port), get(server.port), fate(server))
    print("client 1 says nothing, and stays")
    print(f"client 2 asks, and gets {tried.second}\nclient 3 asks, and gets {tried.third}")
    print(f"the server {tried.server}")
    for words, times in complaints(server).items():
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
    if server.exit_status is not None:
        return f"has ended, with exit status {server.exit_status}"
    eventually(lambda: all(sleeps_in(one.pid) for one in living(server)), within=1)
    alive = living(server)
    calls = Counter(filter(None, (sleeps_in(one.pid) for one in alive)))
    where = ", ".join(f"{number} asleep in {call}" for call, number in sorted(calls.items()))
    return f"runs as {len(alive)} process{'es' * (len(alive) != 1)}" + f": {where}" * bool(where)


def living(server):
    """The processes of a server that have not ended, as a list of lab.Process."""
    seen = [process(pid) for pid in server.members()]
    return [one for one in seen if one and one.state != "zombie"]


def complaints(server):
    """How often a server has said what, of errors: the last lines of tracebacks, and its own."""
    said = [line for line in server.stderr.splitlines() if line.startswith("OSError")]
    return Counter(said + [line for line in server.stdout.splitlines() if "early" in line])
