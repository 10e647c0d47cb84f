"""Load for a server: wrk or ab, and what their reports say.

wrk asks as fast as one thread can, on 64 connections. Of an answer without a Content-Length it
cannot see the end, and counts it as an error: such servers are asked by ab, which wants a new
connection for each request of HTTP/1.0 and comes to about 20,000 of them in a second. wrk's
latency begins when the request is written; ab's includes the time to connect.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 64
MODES = {  # options of wrk, and of ab: None where it cannot
    "kept": ([], ["-k"]),
    "anew": (["-H", "Connection: close"], []),
    "new_heads": (["-s", str(Path(__file__).with_name("bench.lua"))], None),
}
UNITS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}  # of wrk's times, in ms


class CannotMeasure(Exception):
    """A load could not be put on a server; the message says why, in one sentence."""


@dataclass
class Load:
    """What one run of wrk or ab saw. errors are the requests that had no proper answer."""

    requests: int
    per_second: float
    median_ms: float
    p99_ms: float
    errors: int


def tools():
    """The load tools that are installed: {"wrk": version, "ab": version}."""
    found = {}
    for tool, option in (("wrk", "-v"), ("ab", "-V")):
        if shutil.which(tool):
            words = subprocess.run([tool, option], capture_output=True, text=True).stdout
            version = re.search(r"\d+\.[\w.]+", words)
            found[tool] = version[0] if version else "of an unknown version"
    return found


def run(command, timeout, **options):
    """Run a command in a session of its own; (exit status, its output).

    Whatever ends the wait, a KeyboardInterrupt or the timeout in seconds, ends the session too.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True,
                               **options)
    try:
        return process.communicate(timeout=timeout)[0], process.returncode
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        raise


def report_of(command, timeout):
    """What a load tool prints; raises CannotMeasure if it fails or takes too long."""
    try:
        report, status = run(command, timeout)
    except subprocess.TimeoutExpired:
        raise CannotMeasure(f"{command[0]} did not end within {timeout} s.") from None
    if status:
        raise CannotMeasure(f"{command[0]} failed: {last_line(report)}")
    return report


def with_wrk(port, mode, seconds):
    """Put load on a port for some whole seconds; a Load."""
    return parse_wrk(report_of(
        ["wrk", "--threads=1", f"--connections={CONNECTIONS}", "--latency",
         f"--duration={seconds}s", *MODES[mode][0], url(port)], seconds + 20))


def parse_wrk(report):
    """A Load from what `wrk --latency` prints."""
    socket_errors = re.search(r"Socket errors: (.*)", report)
    numbers = re.findall(r"\d+", socket_errors[1]) if socket_errors else []
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
    times = {percent: float(number) * UNITS[unit]
             for percent, number, unit in re.findall(r"(50|99)% +([\d.]+)([a-z]+)", report)}
    return Load(requests=int(re.search(r"(\d+) requests in", report)[1]),
                per_second=float(re.search(r"Requests/sec: +([\d.]+)", report)[1]),
                median_ms=times["50"], p99_ms=times["99"],
                errors=sum(map(int, numbers)) + (int(refused[1]) if refused else 0))


def with_ab(port, mode, seconds, requests=200_000):
    """Put load on a port for some seconds, or that many requests; a Load."""
    if MODES[mode][1] is None:
        raise CannotMeasure("ab cannot change what it asks for from one request to the next.")
    with tempfile.NamedTemporaryFile("r") as table:
        report = report_of(
            ["ab", "-q", "-r", "-t", str(seconds), "-n", str(requests), "-c", str(CONNECTIONS),
             "-e", table.name, *MODES[mode][1], url(port)], seconds + 40)
        load = parse_ab(report, table.read())
    kept = re.search(r"Keep-Alive requests: +(\d+)", report)
    if kept and int(kept[1]) < load.requests / 2:
        raise CannotMeasure("ab speaks HTTP/1.0, for which it does not keep connections.")
    return load


def parse_ab(report, table):
    """A Load from what `ab -e` prints, and from the table that it writes (percent, ms)."""
    def count(words):
        found = re.search(rf"^{words}: +(\d+)", report, re.MULTILINE)
        return int(found[1]) if found else 0

    times = dict(line.split(",") for line in table.splitlines()[1:])
    return Load(requests=count("Complete requests"),
                per_second=float(re.search(r"Requests per second: +([\d.]+)", report)[1]),
                median_ms=float(times["50"]), p99_ms=float(times["99"]),
                errors=max(count("Failed requests"), count("Non-2xx responses")))


def url(port):
    return f"http://127.0.0.1:{port}/hello"


def last_line(text):
    return (text.strip().splitlines() or ["it printed nothing"])[-1].strip()
