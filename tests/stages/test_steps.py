"""Each step keeps a promise that its parent does not; all the stages after it keep it as well."""

import pytest

from tests.spec import steps
from tests.spec.stages import STAGES, STEPS, ancestry
from tests.spec.steps import PROMISES, CannotTell, Trial
from tests.spec.subject import Fault

claim = pytest.mark.claim
CLAIMS = {
    "2b": claim("2.11"), "2c": claim("2.12"), "2d": claim("2.13"), "2e": claim("2.14"),
    "2f": claim("2.15"), "2g": claim("2.16"), "2h": claim("2.17"), "2i": claim("2.18"),
    "2j": claim("2.19"),
    "3l": claim("3.29"), "3m": claim("3.30"), "3n": claim("3.31"), "3o": claim("3.32"),
    "3p": claim("3.33"), "3q": claim("3.34"), "3r": claim("3.35"), "3s": claim("3.35"),
    "3t": claim("3.36"), "3u": claim("3.37"), "3v": claim("3.37"), "3w": claim("3.37"),
    "3x": claim("3.38"), "3y": claim("3.39"), "3z": claim("3.39"),
}


def put(check, trial):
    """steps.put, or a skipped test that says why."""
    try:
        steps.put(check, trial)
    except CannotTell as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def trial(request):
    """A stage on trial. Its tests follow each other, and share its servers."""
    with Trial(request.param) as trial:
        yield trial


def kept():
    """Each stage with each promise that it keeps, its own and those of its ancestors."""
    for stage in STAGES.values():
        for name in reversed(ancestry(stage)):
            for check in PROMISES.get(name, []):
                marks = [CLAIMS[name], getattr(pytest.mark, stage.part),
                         pytest.mark.xdist_group(f"steps of {stage.name}")]
                yield pytest.param(stage, check, id=f"{stage.name}-{name}-{check.__name__}",
                                   marks=marks)


@pytest.mark.parametrize(("trial", "check"), list(kept()), indirect=["trial"])
def test_stage_keeps_its_promises_and_those_before(trial, check):
    put(check, trial)


@pytest.mark.thorough
@pytest.mark.parametrize(("stage", "check"), [
    pytest.param(STAGES[STAGES[name].parent], check, id=f"{name}-{check.__name__}")
    for name, checks in PROMISES.items() for check in checks if check not in steps.NOT_NEW])
def test_parent_does_not_keep_the_promise(stage, check):
    with Trial(stage, patience=2) as trial, pytest.raises(Fault):
        put(check, trial)


def test_every_step_has_a_promise_in_words_and_a_check():
    assert list(STEPS) == list(PROMISES) == list(CLAIMS)
