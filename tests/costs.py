"""What a server costs under load: CPU time and memory of its processes, as the kernel tells."""

import http.client
from contextlib import ExitStack, contextmanager

import psutil

import lab
from load import CannotMeasure, last_line, report_of, with_wrk

WARM_UP = 200  # requests
MEMORY = "PSS" if psutil.LINUX else "RSS"
ANSWER_END = b"!\n"  # of the application's body, and of the hello stages'


def probe(port):
    """What a server promises a client of HTTP/1.1: (keeps the connection, tells its body's end)."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request("GET", "/hello")
        answer = client.getresponse()
        tells_end = answer.chunked or answer.length is not None
        return not answer.will_close, tells_end
    except (OSError, http.client.HTTPException) as error:
        raise CannotMeasure(f"It does not answer: {error!r}.") from None
    finally:
        client.close()


def warm_up(port):
    """Some requests one after another, so that imports and first-time work are not measured."""
    for _ in range(WARM_UP):
        answer = lab.ask(port, until=ANSWER_END)
        if answer.status != 200:
            raise CannotMeasure(f"It does not answer: {answer.error or answer.data[:100]}.")


def measure(server, put_load):
    """Put load on a server; the Load's figures and the CPU time that a request cost, as a dict.

    cpu_us    microseconds of user and system time of the server's processes; None where the
              system does not count ended children to their parents (macOS)
    """
    before = lab.cpu_seconds(server.members())
    load = put_load(server.port)
    if server.exit_status is not None:
        raise CannotMeasure(f"It died under the load: {last_line(server.stderr)}")
    if not load.requests:
        raise CannotMeasure(f"It answered no request, with {load.errors} errors.")
    used = lab.cpu_seconds(server.members()) - before if psutil.LINUX else None
    return {**vars(load), "cpu_us": used and used / load.requests * 1e6}


@contextmanager
def idle_connections(port, count):
    """Hold connections on which one request was answered and no other comes.

    Raises CannotMeasure, when the block ends, if the server has closed one by then.
    """
    connections = []
    with ExitStack() as stack:
        for number in range(count):
            try:
                connections.append(stack.enter_context(lab.connect(port)))
                connections[-1].sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
                lab.read_until(connections[-1], ANSWER_END)
            except OSError as error:
                raise CannotMeasure(f"Idle connection {number + 1} failed: {error}.") from None
        yield
        if closed := sum(not is_open(connection) for connection in connections):
            raise CannotMeasure(f"It closed {closed} of {count} idle connections meanwhile.")


def is_open(connection):
    """Whether a connection on which nothing is due has not been ended by the other side."""
    connection.setblocking(False)
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def measure_idle(server, count, seconds):
    """What idle connections cost a server, as a dict.

    bytes_each        resident memory; what the kernel holds for a socket is not in it
    alone, beside     requests/s of the busy connections, before and beside the idle ones
    """
    alone = with_wrk(server.port, "kept", seconds)
    before = lab.memory(server.members(), "RSS")
    with idle_connections(server.port, count):
        grown = lab.memory(server.members(), "RSS") - before
        beside = with_wrk(server.port, "kept", seconds)
    return {"connections": count, "bytes_each": grown / count,
            "alone": alone.per_second, "beside": beside.per_second,
            "errors": alone.errors + beside.errors,
            "beside_over_alone": beside.per_second / alone.per_second}


BARE_LOOP = """
import os, sys, time
count, start = int(sys.argv[1]), time.monotonic()
for _ in range(count):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print(count / (time.monotonic() - start))
"""


def bare_forks(python, count):
    """How often in a second a Python can fork a child that ends at once, and wait for it."""
    return float(report_of([python, "-c", BARE_LOOP, str(count)], 60))
