"""A clone for make check: my/ belongs to the reader."""

import shutil

import pytest

import lab


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A copy of what make check needs."""
    clone = tmp_path_factory.mktemp("clone")
    for folder in ("part1", "part2", "part3", "tests", "notebooks"):
        shutil.copytree(lab.PROJECT / folder, clone / folder,
                        ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for file in ("Makefile", "requirements.txt"):
        shutil.copy2(lab.PROJECT / file, clone / file)
    (clone / ".venv").mkdir()
    for path in (lab.PROJECT / ".venv").iterdir():
        (clone / ".venv" / path.name).symlink_to(path)
    (clone / ".venv/installed").unlink()
    shutil.copy(clone / "requirements.txt", clone / ".venv/installed")  # there is nothing to make
    return clone


@pytest.fixture
def clone(original):
    """That copy with an empty my/."""
    shutil.rmtree(original / "my", ignore_errors=True)
    return original
