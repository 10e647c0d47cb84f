"""Ask a server for all that a stage of stages.py has: the checks that prove our own stages.

A fault that is the lesson of a stage is asked for as well, as "show me".
"""

import errno
import itertools
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import lab
from tests.grader.causes import CAUSES, cause_of
from tests.spec.checks import CHECKS
from tests.spec.otherwise import OTHERWISE
from tests.spec.stages import (
    ASKED_STEPS,
    FOR_APPLICATIONS,
    LESSONS,
    MANNERS,
    PROPERTIES,
    SHOWN,
    steps_of,
)
from tests.spec.subject import Fault, Subject, TooSlow, slowness

WORDS = {**PROPERTIES, **FOR_APPLICATIONS, **ASKED_STEPS, **LESSONS, **MANNERS}
SAID = {name: f"what your server said: {cause.words}" for name, cause in CAUSES.items()}
ALONE = {"lives_without_processes"}  # the limit counts what the other checks run, too
AT_ONCE = 8  # so many checks run side by side; they mostly wait
PATIENCE = 1.5  # seconds that a client waits
MORE_PATIENCE = 4  # when what was missing is asked for again, for the machine may be busy
TO_START = 8
LIMIT = 20  # seconds that one question may take
ENOUGH = 38  # seconds after which no question is begun; more where the machine is busy
ONCE = {"stays", "stops", "ends_its_children"}  # what takes long has more patience at once
LONG = {"keeps_descriptor_count", "stays"}  # begun first, so that nobody waits for them at the end
FIRST_STEPS = {  # as one builds it: without one of these nothing else is asked
    "starts", "accepts", "reads", "answers", "goes_on", "sleeps_after_answer", "runs_wsgi"}

GOOD = {"yes", "shown", "excused", "unseen"}


@dataclass(frozen=True)
class Question:
    """One line of a report. kind is "start", "property", "application", "step", "lesson",
    "show" or "manner"; that of a hint may be "cause", with a name of causes.py."""

    name: str
    kind: str

    @property
    def words(self):
        return {"show": SHOWN, "cause": SAID}.get(self.kind, WORDS)[self.name]


@dataclass(frozen=True)
class Result:
    """What came of a question.

    verdict   "yes" or "no"; for a fault to be shown "shown" or "not shown"; "excused" if the
              stage lets it pass, "unseen" if this system does not show it
    fault     the Fault, with the evidence; None if there was none
    reason    for "excused" and "unseen": why; for "shown" what was seen, where that needs words
    seconds   how long it took to ask
    """

    question: Question
    verdict: str
    fault: Fault | None = None
    reason: str = ""
    seconds: float = 0

    @property
    def good(self):
        return self.verdict in GOOD


def questions(stage):
    """All that a stage is asked for, in the order of a report: whether it starts comes first."""
    first, *manners = MANNERS
    return [Question(first, "start"),
            *[Question(name, "property") for name in stage.asked],
            *[Question(name, "application") for name in FOR_APPLICATIONS if stage.wsgi],
            *[Question(name, "step") for name in steps_of(stage)],
            *[Question(name, "lesson") for name in stage.lessons],
            *[Question(name, "show") for name in stage.shows],
            *[Question(name, "manner") for name in manners]]


def ask(question, stage, subject):
    """Ask a server one question of a stage; the Result."""
    try:
        fault = fault_of(question.name, subject)
    except lab.CannotSee as reason:
        return Result(question, "unseen", reason=str(reason))
    if question.kind == "show":
        shown = fault and re.search(stage.faults[question.name], str(fault))
        verdict = "shown" if shown else "not shown"
    else:
        verdict = "no" if fault else "yes"
    if verdict == "not shown" and question.name in OTHERWISE:
        return ask_otherwise(question, stage, subject)
    if verdict in ("no", "not shown") and question.name in stage.excuses:
        return Result(question, "excused", fault, stage.excuses[question.name])
    return Result(question, verdict, fault)


def ask_otherwise(question, stage, subject):
    """The Result where a language hides the fault that was to be shown: what is behind it, if one
    sees that, is as good."""
    try:
        return Result(question, "shown", reason=OTHERWISE[question.name](subject))
    except Fault as fault:
        return Result(question, "not shown", fault)
    except lab.CannotSee:
        return Result(question, "excused", reason=stage.excuses[question.name])


def fault_of(name, subject):
    """The Fault that a check meets; None if it meets none.

    Raises CannotSee where the system does not let us ask.
    """
    try:
        with subject.limited(LIMIT, WORDS[name]) as limited:
            CHECKS[name](limited)
    except Fault as fault:
        return fault
    except lab.ServerError as error:
        if name in ALONE:  # root's server runs as somebody else there, who may not read it
            first = str(error).splitlines()[0]
            raise lab.CannotSee(f"Not to be seen here: with so few processes {first}") from None
        return Fault("The server was started once more.", "It starts.", str(error))
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL):
            raise
        raise lab.CannotSee(f"This system does not let us ask: {error}.") from None
    return None


def grade(stage, command, tell=lambda result: None):
    """Ask a server, started by a command, for all that a stage has; a list of Results.

    First it is asked whether it starts, and then for the other steps in which one builds it: what
    comes after one that is missing is not asked. Nor is a question begun that would end too late.
    From then on it is waited for as much longer as it took for the three answers of "goes_on": a
    slow server, or a busy machine, is no fault. `tell` is called with each Result that stands.
    """
    subject = Subject(command, stage.arguments, PATIENCE, TO_START)
    patient = Subject(command, stage.arguments, MORE_PATIENCE, TO_START)
    steps = [question for question in questions(stage) if question.name in FIRST_STEPS]
    others = [question for question in questions(stage) if question not in steps]
    together = [question for question in others if question.name not in ALONE]
    rounds = [(steps[:1], patient), (steps, patient), (together, subject), (others, patient)]
    results, begin = {}, time.monotonic()
    for some, who in rounds:
        asked = [(each, patient if each.name in ONCE else who)
                 for each in some if each not in results]
        for result in ask_all(asked, stage, begin):
            final = who is patient or result.question.name in ONCE
            if result.good or final or isinstance(result.fault, TooSlow):
                results[result.question] = result
                tell(result)
            if result.question.name == "goes_on":
                subject.patience += round(result.seconds, 1)
                patient.patience += round(result.seconds, 1)
        if not all(results[step].good for step in steps if step in results):
            return up_to_the_first_that_lacks(steps, results)
    return [results[question] for question in questions(stage)]


def up_to_the_first_that_lacks(steps, results):
    """The Results of the first steps: what comes after one that lacks means nothing yet."""
    good = list(itertools.takewhile(lambda step: results[step].good, steps))
    return [results[step] for step in steps[:len(good) + 1]]


def ask_all(asked, stage, begin):
    """The Results of some questions, each with its Subject, as they come: side by side; those that
    would come too long after `begin` are not asked."""
    def answer(question, subject):
        start = time.monotonic()
        if start < begin + ENOUGH * slowness():
            result = ask(question, stage, subject)
            return replace(result, seconds=time.monotonic() - start)
        return Result(question, "no", TooSlow(
            f"The others took {ENOUGH} s.", "There is time for this one, too.",
            "It was not asked."))

    pool = ThreadPoolExecutor(AT_ONCE)  # no with block: Ctrl-C is not to wait for it
    last_first = asked[::-1]
    last_first.sort(key=lambda pair: pair[0].name not in LONG)
    yield from pool.map(lambda pair: answer(*pair), last_first)
    pool.shutdown()


def passed(results):
    return all(result.good for result in results)


def missing(results):
    """The Questions whose Results are not good: first the one that is the cause of others."""
    bad = [result for result in results if not result.good]
    cause = cause_of(bad, {result.question.name for result in results})
    asked = CAUSES[cause].asked if cause else ()
    return sorted((result.question for result in bad),
                  key=lambda question: question.name not in asked)


def to_hint_at(stage, results):
    """The Questions to give hints on: before those that are missing what the server itself said,
    if that tells the cause."""
    bad = [result for result in results if not result.good]
    asked = {question.name for question in questions(stage) if question.kind != "show"}
    cause = cause_of(bad, asked)
    return [Question(cause, "cause")] * bool(cause) + missing(results)
