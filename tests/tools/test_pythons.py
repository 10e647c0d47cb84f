"""Every stage on every Python, 3.10 to 3.14, that this machine has."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import lab
from tests.spec.stages import STAGES, TRACKS

pytestmark = pytest.mark.thorough

VERSIONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


def runs(python, version):
    """Whether this file is a Python of that version: pyenv's shims may be none."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    ended = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return ended.stdout.strip() == version


def find_python(version):
    """The path of that Python, on PATH or in pyenv; None if there is none."""
    found = [shutil.which(f"python{version}"),
             *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    return next((str(python) for python in found if python and runs(python, version)), None)


PYTHONS = {version: find_python(version) for version in VERSIONS}


FOUND = [version for version in VERSIONS if PYTHONS[version]]




@pytest.fixture(params=[
    pytest.param(version, marks=[pytest.mark.thorough] * (version in FOUND[1:-1]))
    for version in VERSIONS])
def python(request):
    if not PYTHONS[request.param]:
        pytest.skip(f"There is no Python {request.param} on PATH or in pyenv.")
    return PYTHONS[request.param]


@pytest.mark.parametrize("track", TRACKS)
def test_each_stage_of_a_track_serves_two_clients(track, python):
    with ThreadPoolExecutor(4) as pool:  # so many side by side
        seen = pool.map(lambda name: two_answers(STAGES[name], python), TRACKS[track])
    wrong = [(name, each) for name, each in zip(TRACKS[track], seen, strict=True)
             if each != ([200, 200], "")]
    assert not wrong, wrong


def two_answers(stage, python):
    """The statuses that two clients get from a stage, one after the other, and its stderr."""
    command = lab.stage_command(stage.name, *stage.arguments, python=python)
    with lab.start(command, DELAY=1, WORKERS=1) as server:
        statuses = [lab.ask(server.port, until=b"Hello").status for _ in range(2)]
        return statuses, server.stderr


@pytest.mark.claim("3.19")
def test_stage_3e_dies_of_eintr(python, servers):
    server = servers.enter_context(lab.start(lab.stage_command("3e", python=python), DELAY=0.2))
    assert lab.ask(server.port).status == 200
    assert server.wait_until_dead() == 1
    assert "InterruptedError: [Errno 4]" in server.stderr
