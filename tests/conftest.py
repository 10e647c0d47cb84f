"""What all tests share: servers that are gone when the test is over, and folders too."""

import os
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

import lab
from tests.helpers.complete import Variant, servers_that_stay
from tests.spec.stages import STAGES, TRACK_OF


def pytest_configure(config):
    lab.allow_files(10_000)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in the background of a shell: servers
        signal.signal(signal.SIGINT, signal.default_int_handler)  # would inherit that
    os.environ["PYTHONPATH"] = str(lab.PROJECT / "notebooks")  # as the Makefile has it
    for name in ("ALL", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES"):  # they run make, too
        os.environ.pop(name, None)


def pytest_xdist_auto_num_workers(config):
    """Three for each processor, for tests mostly wait; one, where somebody looks on."""
    return 0 if config.option.usepdb else 3 * os.cpu_count()


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


@pytest.fixture(scope="module")
def serve():
    """serve(stage, application) starts a stage, once for all tests of a module."""
    with servers_that_stay() as serve:
        yield serve


@pytest.fixture
def start_nginx(servers, folder):
    """Start an nginx of our own: start_nginx(location, before) has these lines in its location and
    before its server. The port that it listens on."""
    def start_nginx(location, before=""):
        port, configuration = lab.free_port(), folder / "nginx.conf"
        folder.chmod(0o755)
        configuration.write_text(f"""
            daemon off; pid {folder}/pid; error_log stderr;
            events {{}}
            http {{
                access_log off;
                client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
                scgi_temp_path {folder}/scgi;
                {before}
                server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }}
            }}
        """)
        servers.enter_context(lab.start(f"nginx -p {folder} -c {configuration}", port=port))
        return port
    return start_nginx


@pytest.fixture
def folder():
    """An empty folder that is gone after the test."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def pytest_collection_modifyitems(items):
    """Mark each test with its part: by the folder it stands in, or by the stage it is run on."""
    for item in items:
        part = getattr(stage_of(item), "part", item.path.parent.name)
        if part in ("part1", "part2", "part3", "notebooks"):
            item.add_marker(part)
    for item in between(items):
        item.add_marker("thorough")


def stage_of(item):
    """The stage that a test is run on, as its parameter `stage` or `trial`; None without one."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    stage = parameters.get("stage", parameters.get("trial"))
    return STAGES.get(stage) if isinstance(stage, str) else stage


def between(items):
    """The tests that ask of a stage what they ask of an earlier and of a later one of its track; of
    the last server without threads, what they ask of it with threads, and of an iterative one."""
    asked = {}
    for item in items:
        stage = stage_of(item)
        if stage:
            others = {name: repr(value) for name, value in item.callspec.params.items()
                      if value is not item.callspec.params.get("stage")
                      and value is not item.callspec.params.get("trial")}
            track = "complete" if isinstance(stage, Variant) else TRACK_OF[stage.name]
            asked.setdefault((item.path, item.originalname, track, *sorted(others.items())),
                             []).append(item)
    return [item for same in asked.values() for item in same[1:-1]]
