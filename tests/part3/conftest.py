"""The last stage, started in the ways that its tests want."""

import os
import signal

import pytest

import lab
from tests.helpers import complete
from tests.helpers.capstone import LAST, program
from tests.helpers.complete import APPS, Stream


@pytest.fixture
def start(servers, folder):
    """start("--workers", "3") starts the last stage with these options, else with two workers.

    application   what it serves
    behind        the words of a command to put before its own
    constants     other values for names that the program gives to its constants
    ready         whether to wait until it says that it serves
    """
    def start(*options, application=APPS, behind=(), constants=None, ready=True, **more):
        options = options or ["--workers", "2"]
        command = [*behind, *lab.stage_command(LAST)[:-1], program(folder, constants),
                   *options, application]
        begin = lab.start if ready else lab.Server
        server = servers.enter_context(begin(command, honest=not behind, **more))
        servers.callback(lambda: servers.pids.extend(server.members()))
        if ready:
            assert lab.eventually(lambda: "Serving HTTP" in server.stdout), server.stderr
        return server
    return start


@pytest.fixture
def connect(serve):
    """A server for many tests, a connection to it, and the Stream of what comes there."""
    server = serve(complete.LAST)
    with lab.connect(server.port) as client:
        yield server, client, Stream(client)


@pytest.fixture(params=["SIGTERM", "SIGINT", "SIGINT to all"])
def stop(request):
    """stop(server) ends it: from outside, or as Ctrl-C does in a terminal."""
    if request.param == "SIGINT to all":
        return lambda server: os.killpg(server.pid, signal.SIGINT)
    return lambda server: os.kill(server.pid, signal.Signals[request.param])
