"""What all tests share: servers that are gone when the test is over, and folders too."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

import lab


def pytest_configure(config):
    lab.allow_files(10_000)


@pytest.fixture
def servers():
    """An ExitStack for servers. Fails the test if one of their processes outlives it."""
    with ExitStack() as stack:
        stack.pids = []
        yield stack
    left = lab.eventually(lambda: not [pid for pid in stack.pids if psutil.pid_exists(pid)], 20)
    assert left, f"Of the servers' processes {stack.pids} some are still there 20 s after the end."


@pytest.fixture
def start_stage(servers):
    """Start stages by name: start_stage("3c", DELAY=0.5). They end with the test."""
    def start_stage(stage, *arguments, **options):
        server = servers.enter_context(lab.start_stage(stage, *arguments, **options))
        servers.callback(lambda: servers.pids.extend(server.members()))
        return server
    return start_stage


@pytest.fixture
def folder():
    """An empty folder that is gone after the test."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def pytest_collection_modifyitems(items):
    """Mark each test with its part: by the folder it stands in, or by the stage it is run on."""
    for item in items:
        stage = getattr(item, "callspec", None) and item.callspec.params.get("stage")
        part = stage.part if stage else item.path.parent.name
        if part in ("part1", "part2", "part3", "notebooks"):
            item.add_marker(part)
