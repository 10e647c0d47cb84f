"""What all stages have in common: settings, the ready line, errors, and how they stop.

What every server is asked for, in whatever language, is in manners.py; test_check.py asks ours.
"""

import os
import signal
import subprocess
import sys

import pytest

import lab
from tests.helpers.scripts import assert_one_line, every_stage
from tests.spec.stages import STAGES


def run(stage, *, cwd=lab.PROJECT, **environment):
    """Run a stage that is expected to end by itself; its CompletedProcess."""
    return subprocess.run(
        lab.stage_command(stage.name, *stage.arguments), capture_output=True, text=True,
        timeout=30, cwd=cwd, env={**os.environ, "PORT": str(lab.free_port()), **environment})


@every_stage
def test_prints_one_line_when_it_is_ready(stage, start_stage):
    server = start_stage(stage.name, *stage.arguments, PYTHONUNBUFFERED=None)
    ready = f"Serving HTTP on port {server.port} ...\n"
    lab.eventually(lambda: "\n" in server.stdout)
    assert server.stdout == ("WSGIServer: " if stage.wsgi else "") + ready


@every_stage
def test_listens_where_host_says(stage, start_stage):
    server = start_stage(stage.name, *stage.arguments, host="127.0.0.2")
    assert [listener.address for listener in lab.listeners(server.port)] == ["127.0.0.2"]
    assert lab.ask(server.port, host="127.0.0.2", until=b"Hello").status == 200


@every_stage
def test_port_8888_unless_told_otherwise(stage, servers):
    """Where somebody has that port already, it says so, and that tells as well."""
    server = servers.enter_context(lab.Server(
        lab.stage_command(stage.name, *stage.arguments), PORT=None, HOST=None))
    assert lab.eventually(lambda: "on port 8888 ..." in server.stdout
                          or "Cannot serve on 127.0.0.1:8888: " in server.stderr), (
        server.stdout + server.stderr)


@every_stage
def test_runs_from_another_folder(stage, start_stage, folder):
    server = start_stage(stage.name, *stage.arguments, cwd=folder,
                         PYTHONPATH=lab.PROJECT if stage.wsgi else None)
    assert lab.ask(server.port, until=b"Hello").status == 200


@every_stage
def test_port_in_use_is_said_in_one_line(stage, start_stage):
    first = start_stage(stage.name, *stage.arguments)
    second = run(stage, PORT=str(first.port))
    assert_one_line(second, f"127.0.0.1:{first.port}", "Address already in use", "PORT")
    assert lab.ask(first.port, until=b"Hello").status == 200


@every_stage
@pytest.mark.parametrize("port", ["abc", "-1", "70000", "80.5"])
def test_port_that_is_none_is_said_in_one_line(stage, port):
    assert_one_line(run(stage, PORT=port), f"127.0.0.1:{port}", "PORT")


@every_stage
def test_host_that_is_none_is_said_in_one_line(stage):
    assert_one_line(run(stage, HOST="999.0.0.1"), "999.0.0.1", "HOST")


@pytest.mark.parametrize("stage", [STAGES[name] for name in ("3b", "3c", "3d", "3e", "3f", "3g")],
                         ids=str)
@pytest.mark.parametrize("delay", ["soon", "-1", "nan"])
def test_delay_that_is_none_is_said_in_one_line(stage, delay):
    assert_one_line(run(stage, DELAY=delay), repr(delay), "DELAY")


@every_stage
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_stops_quietly_and_its_children_with_it_if_it_promises_that(stage, signum, start_stage):
    """The signal goes to the server alone, as `kill PID` sends it; two clients are in its hands."""
    server = start_stage(stage.name, *stage.arguments, DELAY=60)
    with lab.connect(server.port), lab.connect(server.port):
        lab.eventually(lambda: len(lab.children(server.pid)) == 2, 0.5)
        family = server.members() if "ends_its_children" in stage.lessons else [server.pid]
        server.process.send_signal(signum)
        server.wait_until_dead(10)
        gone = lab.eventually(lambda: not any(map(lab.process, family)), 20)
    assert gone, f"{[lab.process(pid) for pid in family]} outlived the server."
    assert server.stderr == ""


@pytest.mark.claim("3.17")
@pytest.mark.parametrize("name", ["3c", "3d", "3e", "3f", "3g"])
def test_child_finishes_its_client_after_the_server_was_killed(name, start_stage):
    server = start_stage(name, DELAY=0)
    with lab.connect(server.port) as client:
        assert lab.eventually(lambda: lab.children(server.pid))
        [child] = lab.children(server.pid)
        server.process.terminate()
        server.wait_until_dead(10)
        assert lab.process(child.pid).ppid != server.pid, "it is an orphan"
        client.sendall(lab.clients.REQUEST)
        assert lab.read_until(client, b"no such end").endswith(b"Hello, World!\n")
    assert lab.eventually(lambda: not server.members(), 20)


@every_stage
def test_ctrl_c_stops_it_while_a_client_is_served(stage, start_stage):
    """In a terminal it goes to the server and to all its children, here asleep."""
    sleeper = ["tests.apps.various:sleeps"] * stage.wsgi
    server = start_stage(stage.name, *sleeper, DELAY=60)
    with lab.connect(server.port) as client:
        client.sendall(lab.clients.REQUEST)
        assert lab.eventually(lambda: "GET /hello" in server.stdout)
        os.killpg(server.pid, signal.SIGINT)
        server.wait_until_dead(10)
    assert lab.eventually(lambda: not server.members(), 20)
    assert server.stderr == ""


@every_stage
def test_needs_nothing_but_the_standard_library(stage, servers):
    """With -S Python has no folder of packages that somebody installed."""
    server = servers.enter_context(lab.start(
        [sys.executable, "-S", stage.file, *stage.arguments]))
    assert lab.ask(server.port, until=b"Hello").status == 200


@every_stage
def test_prints_bytes_that_are_no_text(stage, start_stage):
    server = start_stage(stage.name, *stage.arguments, PYTHONIOENCODING="ascii")
    lab.ask(server.port, b"GET /\xff\x00\x1b\xe9 HTTP/1.1\r\n\r\n", until=b"\r\n\r\n")
    assert lab.eventually(lambda: r"GET /\xff" in server.stdout), server.stdout + server.stderr
