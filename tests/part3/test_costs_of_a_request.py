"""Claim 3.39: where the time goes. Fewer system calls, and nothing done twice."""

import re
import subprocess

import pytest

import lab
from tests.helpers.capstone import PROCESSES, get, workers
from tests.helpers.complete import Stream, fetch, next_answer
from tests.helpers.scripts import linux_only, needs

pytestmark = pytest.mark.claim("3.39")


@linux_only
def test_heads_that_differ_do_not_fill_the_memory(start):
    """Of 600 clients with 60 KB of cookies each nothing stays."""
    server = start("--workers", "1")
    fetch(server, "/says_pid")
    [worker] = workers(server)
    before = lab.memory([worker], "RSS")
    with lab.connect(server.port) as client:
        stream = Stream(client)
        for number in range(600):
            client.sendall(get("/says_pid", b"X: %d" % number + b"a" * 60_000))
            assert next_answer(stream).status == 200
    grown = (lab.memory([worker], "RSS") - before) / (1 << 20)
    assert grown < 20, f"The worker grew by {grown:.0f} MiB."


@linux_only
@needs("strace")
def test_request_on_a_kept_connection_costs_three_system_calls(start, folder):
    """To wait, to receive, to send; what the selector watches stays as it is."""
    server = start("--workers", "1", "--quiet", application="part2.wsgiapp:app")
    [worker] = workers(server)
    calls = folder / "calls"
    with lab.connect(server.port) as client:
        stream = Stream(client)
        ask(client, stream, 10)
        strace = subprocess.Popen(["strace", "-f", "-o", calls, "-p", str(worker)],
                                  stderr=subprocess.PIPE)
        try:
            if b"attached" not in strace.stderr.readline():
                pytest.skip("strace may not look at other processes here.")
            ask(client, stream, 200)
        finally:
            strace.terminate()
            strace.communicate()
    counted = re.findall(r"^\d+ +(\w+)\(", calls.read_text(), re.MULTILINE)
    assert len(counted) > 500, "strace has seen it"
    assert len(counted) < 660, f"200 requests made {len(counted)} calls, such as {counted[-9:]}"
    assert counted.count("epoll_ctl") < 3


def ask(client, stream, times):
    for _ in range(times):
        client.sendall(get("/hello"))
        assert next_answer(stream).status == 200


def test_small_blocks_go_out_at_once(start):
    """TCP_NODELAY: the kernel does not keep a small block until the one before has arrived."""
    server = start("--workers", "1", application=PROCESSES)
    assert fetch(server, "/says_no_delay").body == b"[True]"
