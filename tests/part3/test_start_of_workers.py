"""Claim 3.35: a worker is one when it has loaded the application; who fails waits before he tries
again."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import lab
from tests.helpers.capstone import (
    CLOSE,
    GATED,
    LAST,
    are_loaded,
    assert_replaced,
    get,
    run,
    says,
    workers,
)
from tests.helpers.complete import fetch

pytestmark = pytest.mark.claim("3.35")


def test_worker_that_dies_at_its_start_is_not_started_in_a_spin(start, folder):
    """It is tried again now and then, and serves when whatever was wrong is mended."""
    well = folder / "well"
    well.touch()
    server = start(application="tests.apps.dies_at_start:app", WELL=well)
    assert lab.eventually(lambda: len(workers(server)) == 2)
    well.unlink()
    for victim in workers(server):
        os.kill(victim, signal.SIGKILL)
    before = server.stderr.count("a worker starts")
    assert says(server, "a worker starts", before + 2), "It is not tried again."
    time.sleep(2)
    starts = server.stderr.count("a worker starts") - before
    assert starts <= 30, f"{starts} starts in some seconds"
    assert server.exit_status is None
    well.touch()
    assert lab.ask(server.port, get("/", CLOSE), timeout=20).status == 200


def test_server_whose_first_worker_dies_at_its_start_ends(folder):
    """Then there is nobody yet whom it could let down."""
    ended = run("tests.apps.dies_at_start:app", WELL=str(folder / "well"))
    assert ended.returncode != 0
    assert "Serving" not in ended.stdout
    assert ended.stderr.count("a worker starts") <= 2


def test_workers_that_die_just_after_their_start_are_not_started_in_a_spin(start, folder):
    """They have said that they serve; that is no reason to trust them."""
    well = folder / "well"
    well.touch()
    server = start(application="tests.apps.dies_soon:app", WELL=well)
    assert are_loaded(server, 2)
    well.unlink()
    before = server.stderr.count("a worker starts")
    for victim in workers(server):
        os.kill(victim, signal.SIGKILL)
    time.sleep(3)
    starts = server.stderr.count("a worker starts") - before
    assert 2 <= starts <= 10, f"{starts} starts in three seconds"
    assert server.exit_status is None
    well.touch()
    assert lab.ask(server.port, get("/says_pid", CLOSE), timeout=20).status == 200
    assert lab.eventually(lambda: len(workers(server)) == 2, 20)
    assert fetch(server, "/says_pid").status == 200


def test_nobody_waits_for_a_worker_that_is_not_ready(start, folder):
    """One worker was killed, and the next hangs in its import; the other one serves."""
    gate = folder / "gate"
    gate.touch()
    server = start(application=GATED, GATE=gate)
    assert are_loaded(server, 2)
    gate.unlink()
    victim = min(workers(server))
    os.kill(victim, signal.SIGKILL)
    assert says(server, "a worker starts", 3)
    for _ in range(20):
        assert fetch(server, "/says_pid").status == 200
    gate.touch()
    assert_replaced(server, {victim}, within=10)


def test_dead_are_buried_while_another_starts(start, folder):
    """And replaced, all of them, when the application can be loaded again."""
    gate = folder / "gate"
    gate.touch()
    server = start("--workers", "3", application=GATED, GATE=gate)
    assert are_loaded(server, 3)
    gate.unlink()
    before = workers(server)
    os.kill(server.pid, signal.SIGHUP)
    assert says(server, "a worker starts", 4)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    assert lab.eventually(lambda: lab.process(victim) is None, 3), lab.children(server.pid)
    assert fetch(server, "/says_pid").status == 200
    gate.touch()
    assert_replaced(server, before, within=20, count=3)


def test_end_of_a_lifeline_that_is_heard_of_after_the_burial_is_nothing():
    """Both may come in one round of the master's loop, and the signal first. That is seldom, so
    the master's functions are called in this order here."""
    program = f"""
        import socket
        from part3 import webserver{LAST} as stage
        master = stage.Master(socket.socket(), None, None)
        child = stage.Child(1, socket.socketpair()[0])
        master.selector.register(child.lifeline, stage.READ, None)
        master.announced = True
        master.bury(child, 0)
        master.greet(child)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=lab.PROJECT,
                           capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, "Worker 1 died, status 0.\n")
