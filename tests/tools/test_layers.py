"""Which room of the house may use which: the arrows point one way."""

import ast

import pytest

import lab

TESTS = lab.PROJECT / "tests"
NOTEBOOKS = lab.PROJECT / "notebooks"
MAY_USE = {  # a folder, and what its files may import of ours, besides each other
    NOTEBOOKS / "lab": set(),
    NOTEBOOKS / "see": {"lab"},
    TESTS / "spec": {"lab"},
    TESTS / "grader": {"lab", "tests.spec"},
    TESTS / "bench": {"lab", "tests.spec"},
    TESTS / "apps": set(),
    TESTS / "helpers": {"lab", "tests.spec"},
}


def imports(folder):
    """What of ours the files of a folder import, as pairs of a file and a dotted name."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                if name.split(".")[0] in ("lab", "tests", "see"):
                    yield file.name, name


def room(name):
    """The room that a dotted name belongs to: tests.spec, or lab."""
    words = name.split(".")
    return ".".join(words[:2]) if words[0] == "tests" else words[0]


@pytest.mark.parametrize("folder", MAY_USE, ids=lambda folder: folder.name)
def test_a_room_uses_what_stands_below_it(folder):
    own = room(".".join(folder.relative_to(lab.PROJECT).parts).removeprefix("notebooks."))
    wrong = [(file, name) for file, name in imports(folder)
             if room(name) not in MAY_USE[folder] | {own}]
    assert not wrong


@pytest.mark.parametrize("folder", [TESTS / "spec", TESTS / "grader", TESTS / "bench"],
                         ids=lambda folder: folder.name)
def test_programs_do_without_pytest(folder):
    """A reader's make check needs no test runner."""
    for file in folder.rglob("*.py"):
        assert "import pytest" not in file.read_text(), file
