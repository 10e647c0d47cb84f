"""What my/.progress.json remembers of a reader: the stages that are passed, and the last check."""

import fcntl
import json
import os
from contextlib import contextmanager

import lab
from tests.grader.grading import to_hint_at
from tests.spec.stages import ORDER

FOLDER = lab.PROJECT / "my"
FILE = FOLDER / ".progress.json"
NOTHING = {"passed": [], "last": None, "missing": [], "hints": {}}


def load():
    """A dictionary: stages `passed`, the `last` one checked, what was `missing` there as [kind,
    name], and how many `hints` of each were seen. A file that is no progress counts as none."""
    try:
        return {**NOTHING, **json.loads(FILE.read_text())}
    except (OSError, ValueError, TypeError):
        return dict(NOTHING)


@contextmanager
def changed():
    """The progress, to be changed in a with block, and kept. Another check waits meanwhile."""
    FOLDER.mkdir(exist_ok=True)
    folder = os.open(FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        progress = load()
        yield progress
        whole = FILE.with_suffix(".new")
        whole.write_text(json.dumps(progress, indent=1) + "\n")
        whole.replace(FILE)
    finally:
        os.close(folder)


def remember(stage, results):
    """Note down what came of a check; the progress then."""
    bad = [[question.kind, question.name] for question in to_hint_at(stage, results)]
    with changed() as progress:
        passed = {*progress["passed"]} - {stage.name} | ({stage.name} if not bad else set())
        seen = {name: count for name, count in progress["hints"].items()
                if name in {name for _, name in bad}}
        progress.update(last=stage.name, missing=bad, hints=seen,
                        passed=[name for name in ORDER if name in passed])
    return progress


def count_hint(name):
    """One hint more was asked for on this property; how many were seen before, the first of
    them in the report of the check itself."""
    with changed() as progress:
        seen = progress["hints"].get(name, 1)
        progress["hints"][name] = seen + 1
    return seen


def next_stage(progress):
    """The name of the stage that the reader is at: the last one checked, or the first after it
    that is not passed; None if all are."""
    last = progress["last"]
    start = ORDER.index(last) if last in ORDER else 0
    return next((name for name in ORDER[start:] + ORDER[:start]
                 if name not in progress["passed"]), None)
