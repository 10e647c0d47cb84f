"""The table in stages.py, tested as it stands: the faults too."""

import pytest

from tests.grader.grading import questions
from tests.spec.checks import CHECKS
from tests.spec.stages import LESSONS, STAGES
from tests.spec.subject import Fault, subject_of

FAULTS = [pytest.param(stage, name, id=f"{stage.name}-{name}")
          for stage in STAGES.values() for name in stage.faults]
UNASKED = [pytest.param(stage, name, id=f"{stage.name}-{name}")
           for stage in STAGES.values() for name in stage.has
           if name not in {question.name for question in questions(stage)}]


@pytest.mark.parametrize(("stage", "name"), FAULTS)
def test_what_the_table_calls_a_fault_shows(stage, name):
    with pytest.raises(Fault, match=stage.faults[name]):
        CHECKS[name](subject_of(stage, patience=2))


@pytest.mark.parametrize(("stage", "name"), UNASKED)
def test_stage_has_what_it_is_not_asked_for_yet(stage, name):
    """What make check asks of a stage, ours has: that is tested with make check itself."""
    CHECKS[name](subject_of(stage))


LACKING = {  # not the parent
    "no_process_for_each": "3g", "ends_its_children": "3g", "answers_bursts": "3e",
    "serves_beside_forty": "3j"}


@pytest.mark.thorough
@pytest.mark.parametrize(("stage", "name"), [
    pytest.param(STAGES[LACKING.get(name, stage.parent)], name, id=f"{stage.name}-{name}")
    for stage in STAGES.values() if stage.parent
    for name in stage.lessons if name not in STAGES[stage.parent].lessons
    if name != "threads_end"])  # of ours none lacks it; one of tests/wrong does
def test_parent_lacks_the_idea(stage, name):
    """That the stage has it is tested with all that make check asks for, in test_check.py."""
    with pytest.raises(Fault):
        CHECKS[name](subject_of(stage, patience=1))


def test_what_is_shown_or_excused_is_asked_for():
    for stage in STAGES.values():
        assert set(stage.shows) <= set(stage.faults)
        assert set(stage.lessons) <= set(LESSONS)
        assert set(stage.excuses) <= {*stage.shows, *stage.lessons}
