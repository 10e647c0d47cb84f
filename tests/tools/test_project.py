"""The project as a whole: one idea a stage, claims that have tests, a README that is true."""

import ast
import difflib
import itertools
import json
import re
import subprocess

import pytest

import lab
from tests.bench import tables
from tests.spec import stages
from tests.spec.stages import STAGES

CHILDREN = [stage for stage in STAGES.values() if stage.parent]
CLAIMS = {f"{part}.{number}" for part, last in ((1, 6), (2, 19), (3, 39))
          for number in range(1, last + 1)}
LARGER = {"2c", "2d", "2h", "3m", "3o", "3p", "3r", "3u", "3v", "3x", "3y", "3z"}  # up to 90 lines


@pytest.mark.parametrize("stage", CHILDREN, ids=lambda stage: stage.name)
def test_a_stage_is_its_parent_and_one_idea(stage):
    if stage.joins:
        changed = own_lines(stage)
    else:
        changed = [line for line in difflib.ndiff(STAGES[stage.parent].code_lines(),
                                                  stage.code_lines()) if line[0] in "+-"]
    assert len(changed) <= stage.changes, "\n".join(changed)
    assert stage.changes <= (90 if stage.name in LARGER else 65), "more than one idea"


def own_lines(stage):
    """The lines of a stage that neither of the two has that it joins."""
    known = {line for name in (stage.parent, stage.joins) for line in STAGES[name].code_lines()}
    return [line for line in stage.code_lines() if line not in known]


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_docstring_names_parent_idea_trial_and_faults(stage):
    text = stage.docstring()
    assert "\n\n" in text, "the first line stands alone"
    assert "Try it:" in text
    assert f"python {stage.file}" in text
    assert "On purpose:" in text
    if stage.parent:
        assert re.search(rf"Builds on \S*webserver{stage.parent}\.py", text)
    if stage.joins:
        assert re.search(rf"Builds on \S+ and \S*webserver{stage.joins}\.py", text)


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_docstring_announces_the_faults_of_the_table(stage):
    text = stage.docstring()
    announced = text.partition("On purpose:")[2]
    words = {
        "serves_while_another_waits": "One client at a time|one client at a time|A client that is "
                                      "silent holds up all others|silent, all others wait",
        "lives_without_processes": "(fork|start)\\s+fails",
        "complete_pep3333": "PEP 3333",
        "ends_the_connection": "end of its connection",
        "lives_on_256_descriptors": "descriptors|dies after its first client",
        "leaves_no_zombie_after_128": "zombies",
        "lives_through_signal": "EINTR",
    }
    for fault in stage.faults:
        if fault == "complete_pep3333" and not stage.wsgi:
            continue
        if fault in words:
            assert re.search(words[fault], announced), f"{fault} is not announced:\n{announced}"


def test_functions_fit_a_screen():
    for stage in STAGES.values():
        for node in ast.walk(ast.parse(stage.source())):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 25, f"{stage.file}: {node.name}"


def test_every_claim_has_a_test():
    """Those beside the series are in the making."""
    beside = {f"4.{number}" for number in range(1, 11)}
    assert stages.claims_of_tests() - beside == CLAIMS


def test_the_readme_s_tables_are_those_of_stages_py():
    readme = (lab.PROJECT / "README.md").read_text()
    for track in stages.TRACKS:
        for table in (stages.table_of_ideas(track), stages.table_of_properties(track)):
            assert table in readme, "print them anew: python -m tests.spec.stages"


def test_nothing_is_lost_on_the_stairs():
    """Of a property that a stage has, README says: from there on."""
    for track in filter(stages.is_stairs, stages.TRACKS):
        for one, other in itertools.pairwise(stages.TRACKS[track]):
            assert set(STAGES[other].faults) <= set(STAGES[one].faults), (one, other)


def test_every_stage_is_on_one_track():
    assert sorted(name for names in stages.TRACKS.values() for name in names) == sorted(STAGES)


def test_the_readme_s_figures_are_those_of_the_last_bench():
    result = json.loads((lab.PROJECT / "notebooks/bench.json").read_text())
    readme = (lab.PROJECT / "README.md").read_text()
    assert tables.for_readme(result) in readme, "print them anew: python -m tests.bench --readme"
    table = (lab.PROJECT / "notebooks/bench.md").read_text()
    assert table == tables.full(result) + "\n", "print it anew: python -m tests.bench --table"


def test_every_stage_in_the_folders_is_in_the_table():
    files = {str(path.relative_to(lab.PROJECT)) for path in lab.PROJECT.glob("part?/webserver*.py")}
    assert files == {stage.file for stage in STAGES.values()}


def test_make_alone_lists_the_targets():
    shown = subprocess.run(["make"], cwd=lab.PROJECT, capture_output=True, text=True, check=True)
    phony = re.search(r"\.PHONY: (.*)", (lab.PROJECT / "Makefile").read_text())[1].split()
    listed = re.findall(r"^  make (\S+) +\S", shown.stdout, re.MULTILINE)
    assert listed == phony


def test_top_level_holds_nothing_else():
    tracked = subprocess.run(["git", "ls-files"], cwd=lab.PROJECT, capture_output=True, text=True,
                             check=False).stdout.splitlines()
    if not tracked:
        pytest.skip("This is no git checkout.")
    assert {path.split("/")[0] for path in tracked if not path.startswith(".")} <= {
        "part1", "part2", "part3", "notebooks", "tests", "Makefile", "requirements.txt",
        "pyproject.toml", "README.md", "LICENSE"}


def test_each_track_has_its_heading_in_the_readme():
    readme = (lab.PROJECT / "README.md").read_text()
    assert re.findall(r"^### (.*)", readme, re.MULTILINE)[:4] == [*stages.TRACKS]
