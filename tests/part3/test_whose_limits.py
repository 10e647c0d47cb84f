"""Claim 4.5: limits, soft and hard: who sets them, and for whom they hold."""

import resource
import socket
import subprocess
from pathlib import Path

import pytest

import lab
from tests.helpers.scripts import linux_only, needs, output_of

pytestmark = pytest.mark.claim("4.5")


@needs("bash")
def test_a_limit_holds_for_those_whom_the_shell_starts_and_for_nobody_else():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    shell = ["bash", "-c", "ulimit -n 200; bash -c 'ulimit -Sn; ulimit -Hn'"]
    assert subprocess.run(shell, capture_output=True, text=True).stdout.split() == ["200", "200"]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_a_soft_limit_goes_up_to_the_hard_one_and_the_hard_one_goes_down_only():
    """For anybody but root, who therefore becomes nobody first."""
    said = output_of("""
        import os, resource
        if os.geteuid() == 0:
            os.setuid(65534)
        for limits in [(64, 256), (128, 256), (300, 256), (128, 512)]:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                print("granted")
            except ValueError:
                print("refused")
    """)
    assert said.split() == ["granted", "granted", "refused", "refused"]


@linux_only
@needs("bash")
def test_a_server_that_was_given_a_limit_shows_it(start_stage):
    server = start_stage("3c", files=123)
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert line.split()[3:5] == ["123", "123"]


@linux_only
@needs("ss")
def test_the_machine_has_a_limit_for_queues_that_no_listen_gets_across():
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(most + 1000)
        seen = lab.eventually(lambda: subprocess.run(
            ["ss", "-Htln", f"sport = :{listener.getsockname()[1]}"], capture_output=True,
            text=True).stdout.split())
    assert int(seen[2]) == most, seen
