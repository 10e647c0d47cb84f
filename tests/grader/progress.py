"""What my/.progress.json remembers of a reader: stages that are passed, where he is, and how."""

import fcntl
import json
import os
from contextlib import contextmanager
from copy import deepcopy

from tests.grader.grading import to_hint_at
from tests.grader.languages import FOLDER, LANGUAGES
from tests.spec.stages import ORDER

FILE = FOLDER / ".progress.json"
NOTHING = {"passed": [], "last": None, "missing": [], "hints": {}, "at": None, "language": None,
           "servers": {}}


def load():
    """A dictionary. A file that is no progress counts as none, and so does what an older one
    lacks.

    passed     names of stages; a stage that was passed once stays
    at         the stage of the last make start
    language   a key of LANGUAGES; None as long as none was chosen
    servers    for each stage the SERVER that was given
    last       the stage of the last check
    missing    what was missing there, as [kind, name]
    hints      how many of each were seen
    """
    progress = deepcopy(NOTHING)
    try:
        kept = json.loads(FILE.read_text())
        progress.update({name: value for name, value in kept.items() if fits(name, value)})
    except (OSError, ValueError, AttributeError):
        pass
    return progress


def fits(name, value):
    """Whether a value from the file is of the kind that belongs to its name."""
    if name in ("at", "last"):
        return value in ORDER
    if name == "language":
        return value in LANGUAGES
    return name in NOTHING and isinstance(value, type(NOTHING[name]))


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
        passed = {*progress["passed"]} | ({stage.name} if not bad else set())
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


def begin(stage, language):
    """Note down that a stage was begun, in a language: from now on its own file is the server."""
    with changed() as progress:
        progress.update(at=stage.name, language=language)
        progress["servers"].pop(stage.name, None)


def keep_server(stage, server, language):
    """Note down how the server of a stage is started, and a language if none was chosen yet."""
    with changed() as progress:
        progress["servers"][stage.name] = server
        progress["language"] = progress["language"] or language


def server_of(stage, progress):
    """The SERVER that was given for a stage, or for the last stage that had one before it; None
    if the reader's own file is the server."""
    servers = progress["servers"]
    if stage.name in servers or language_of(progress).file(stage).exists():
        return servers.get(stage.name)
    before = [name for name in ORDER[:ORDER.index(stage.name)] if name in servers]
    return servers[before[-1]] if before else None


def language_of(progress):
    """The Language of the track that was chosen."""
    return LANGUAGES[progress.get("language") or "python"]


def where(progress):
    """The name of the stage that make check asks for without a STAGE: that of the last make
    start; without one the next stage; None if all are passed."""
    begun = progress.get("at")
    return begun if begun in language_of(progress).stages else next_stage(progress)


def next_stage(progress, after=None):
    """The name of the first stage that is not passed: the one that the reader is at, or one of
    those that come then. With `after`, a name, one that comes after that. None if all are passed.
    """
    here = after or progress.get("at") or progress["last"]
    start = ORDER.index(here) if here in ORDER else 0
    names = ORDER[start:] + ORDER[:start]
    return next((name for name in names if name not in progress["passed"] and name != after
                 and name in language_of(progress).stages), None)
