"""Short programs that show one thing of the operating system, run as processes of their own."""

import os
import shutil
import subprocess
import sys
import textwrap
import time

import pytest

from tests.spec.stages import STAGES

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"),
                                reason="only Linux's /proc shows this")


def every_stage(function):
    """Run a test on each stage of the table."""
    return pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)(function)


def one_of_each(kind, cases):
    """The cases as parameters of a test; those of a kind that has come before are thorough."""
    found, seen = [], set()
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        marks = [pytest.mark.thorough] if kind(*values) in seen else []
        seen.add(kind(*values))
        found.append(pytest.param(*values, marks=marks))
    return found


def needs(program):
    """Skip a test where a program is not installed."""
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def run(program, timeout=30):
    """Run a program, given as text; its CompletedProcess."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True,
                          text=True, timeout=timeout, env=environ)


def seconds(call):
    """How long a call takes."""
    start = time.monotonic()
    call()
    return time.monotonic() - start


def output_of(program):
    """What a program prints; it must end well and write nothing to stderr."""
    ended = run(program)
    if ended.returncode or ended.stderr:
        pytest.fail(f"The program ended with {ended.returncode}:\n{ended.stderr}")
    return ended.stdout.strip()


def assert_one_line(ended, *words):
    """It ended with one line on stderr that holds these words, and status 1 or 2."""
    assert ended.returncode in (1, 2), f"Ended with {ended.returncode}, expected 1 or 2."
    assert ended.stderr.count("\n") == 1, f"Expected one line on stderr, saw:\n{ended.stderr}"
    for word in words:
        assert word in ended.stderr, f"Expected {word!r} in: {ended.stderr}"
    assert "Serving" not in ended.stdout
