"""make check passes what is right, and names what is wrong with what is not."""

import re
import shutil
import subprocess
import sys
from pathlib import PurePath

import pytest

import lab
from tests.grader import grading
from tests.grader.grading import Question, grade, missing, to_hint_at
from tests.helpers import in_vain
from tests.helpers.scripts import linux_only, one_of_each
from tests.spec import subject
from tests.spec.stages import STAGES
from tests.spec.subject import TooSlow
from tests.wrong.table import RIGHT, WRONG

pytestmark = pytest.mark.timeout(120)  # one of them takes a second for each answer
FOLDER = lab.PROJECT / "tests/wrong"
PATIENT = 10  # seconds that a reader waits, at most, for what never comes; the work is little
PROGRAMS = {".py": sys.executable, ".js": "node", ".pl": "perl", ".rb": "ruby", ".go": "go",
            ".c": "cc"}


@pytest.fixture
def command(folder):
    """command(file) is what starts a server of tests/wrong; one in C or Go is compiled first."""
    def command(file):
        source = FOLDER / file
        program = PROGRAMS[source.suffix]
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
        compiled = folder / source.stem
        if source.suffix == ".c":
            subprocess.run(["cc", "-o", compiled, source, "-lpthread"], check=True)
            return [str(compiled)]
        if source.suffix == ".go":
            subprocess.run(["go", "build", "-o", compiled, source], check=True)
            return [str(compiled)]
        return [program, str(source)]
    return command


@linux_only
@pytest.mark.parametrize("wrong", one_of_each(lambda wrong: STAGES[wrong.stage].part, WRONG),
                         ids=lambda wrong: f"{wrong.stage}-{wrong.file}")
def test_fault_is_named_and_nothing_else(wrong, command, monkeypatch):
    waited = in_vain.recorded(grading, monkeypatch)
    results = grade(STAGES[wrong.stage], command(wrong.file))
    assert in_vain.longest(grading, waited) < PATIENT, waited
    failed = {result.question.name: result for result in results if not result.good}
    if failed and set(failed) <= set(wrong.maybe):  # so early that nothing else was asked
        assert any(re.search(wrong.seen, result.fault.seen) for result in failed.values())
        return
    assert set(failed) - set(wrong.maybe) == {wrong.question, *wrong.also}, (
        {name: str(result.fault) for name, result in failed.items()})
    first = next(one.name for one in missing(results) if one.name not in wrong.maybe)
    assert first == wrong.question
    seen = failed[wrong.question].fault.seen
    assert re.search(wrong.seen, seen), seen


@pytest.mark.parametrize(("file", "asked_as"),
                         one_of_each(lambda file, _: PurePath(file).suffix, RIGHT))
def test_right_server_passes(file, asked_as, command):
    results = grade(STAGES[asked_as], command(file))
    wrong = [(result.question.name, str(result.fault)) for result in results if not result.good]
    assert not wrong, wrong


def test_slow_server_is_called_slow_and_nothing_else(command, monkeypatch):
    """It takes a second for each answer, and a question may take eight in all."""
    monkeypatch.setattr(grading, "LIMIT", 8)
    monkeypatch.setattr(grading, "slowness", lambda: 1)
    monkeypatch.setattr(subject, "slowness", lambda: 1)
    results = grade(STAGES["1"], command("takes_a_second.py"))
    faults = [result.fault for result in results if not result.good]
    assert faults
    assert all(isinstance(fault, TooSlow) for fault in faults), faults
    assert to_hint_at(STAGES["1"], results)[0] == Question("slow", "cause")


def test_every_server_of_the_folder_is_in_the_table():
    helpers = {"table.py", "polite.py", "polite_wsgi.py", "polite.h", "__init__.py"}
    files = {path.name for path in FOLDER.iterdir() if path.is_file()} - helpers
    assert files == {wrong.file for wrong in WRONG} | {file for file, _ in RIGHT}
