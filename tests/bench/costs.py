"""What a server costs under load: CPU time and memory of its processes, as the kernel tells."""

import http.client
import json
import resource
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

import lab
from tests.bench import sleeping
from tests.bench.load import CONNECTIONS, CannotMeasure, last_line, report_of, with_wrk
from tests.bench.tables import medians

WARM_UP = 200  # requests
PER_ADDRESS = 10_000  # idle clients; beyond 14,000 the kernel seeks long for a free port
BYTES_FOR_BOTH_ENDS = 16_384  # of an idle connection: the kernel's, the server's, the client's
PATIENCE = 20  # seconds that an idle client waits for any answer
CROWD = str(Path(__file__).with_name("idle.py"))
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
def open_files(count):
    """So many open files for whoever starts in this block, or as many as the system grants."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    lab.allow_files(count)
    granted, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        yield granted
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


def room(wanted, files, most_workers):
    """How many idle connections there can be: (count, workers to hold them, what forbids more).

    files is what one process may open. No worker is filled to its limit, for they never have
    equal shares.
    """
    each = files * 9 // 10 - CONNECTIONS
    memory = psutil.virtual_memory().available
    bounds = {f"a process may open no more than {files:,} files": each * most_workers,
              "there is no memory for more": memory // BYTES_FOR_BOTH_ENDS}
    if psutil.LINUX:
        taken, _, most = map(int, Path("/proc/sys/fs/file-nr").read_text().split())
        bounds["fs.file-max allows no more open files"] = (most - taken) // 2 - 1000
    else:
        bounds["there is one address to come from"] = PER_ADDRESS
    why = min(bounds, key=bounds.get)
    count = min(wanted, bounds[why])
    return count, -(-count // each), why if count < wanted else ""


@contextmanager
def idle_connections(port, count):
    """Hold connections on which one request was answered and no other comes.

    Gives how many came in, and why no more. Raises CannotMeasure, when the block ends, if the
    server has closed one by then.
    """
    each = min(PER_ADDRESS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)
    with ExitStack() as stack:
        crowds = [stack.enter_context(crowd(port, min(each, count - start), 2 + start // each))
                  for start in range(0, count, each)]
        seen = [told(process) for process in crowds]
        came = sum(one["came"] for one in seen)
        yield came, next((one["why"] for one in seen if one["why"]), "")
        for process in crowds:
            process.stdin.close()
        if closed := sum(told(process)["closed"] for process in crowds):
            raise CannotMeasure(f"It closed {closed} of {came} idle connections meanwhile.")


@contextmanager
def crowd(port, count, number):
    """A process of idle clients, from an address of their own where there are several."""
    source = f"127.0.0.{number}" if psutil.LINUX else "127.0.0.1"
    command = [sys.executable, CROWD, str(port), str(count), source, str(PATIENCE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process):
    line = process.stdout.readline()
    if not line:
        raise CannotMeasure("A process of idle clients ended early.")
    return json.loads(line)


def measure_idle(server, count, seconds, times=1):
    """What idle connections cost a server, as a dict.

    connections       how many of them came in
    limited_by        why no more, or ""
    came_in_seconds   how long that took
    bytes_each        resident memory of all workers; what the kernel holds for a socket is not
                      in it
    alone, beside     requests/s of the busy connections, before and beside the idle ones; the
                      median of so many times
    """
    alone = loads(server.port, seconds, times)
    before = lab.memory(server.members(), "RSS")
    start = time.monotonic()
    with idle_connections(server.port, count) as (came, why):
        took = time.monotonic() - start
        if not came:
            raise CannotMeasure(f"No idle connection came in: {why}.")
        grown = lab.memory(server.members(), "RSS") - before
        beside = loads(server.port, seconds, times)
    return {"connections": came, "limited_by": why, "came_in_seconds": round(took, 1),
            "bytes_each": grown / came, "errors": alone["errors"] + beside["errors"],
            "alone": alone["per_second"], "beside": beside["per_second"],
            "beside_over_alone": beside["per_second"] / alone["per_second"]}


def loads(port, seconds, times):
    """The medians of some loads on kept connections."""
    return medians([vars(with_wrk(port, "kept", seconds)) for _ in range(times)])


def measure_asleep(server, seconds):
    """How an application does that sleeps, with as many threads as clients, as a dict."""
    lab.ask_at_once(server.port, CONNECTIONS)  # the imports
    load = with_wrk(server.port, "kept", seconds)
    ideal = CONNECTIONS / sleeping.SECONDS
    return {"per_second": load.per_second, "errors": load.errors,
            "over_ideal": load.per_second / ideal}


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
