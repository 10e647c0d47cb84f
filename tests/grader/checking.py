"""make check: build the reader's server, ask it, print what came of it, and remember."""

import json
import shlex
import time

import rich.progress

from tests.grader import printing, progress, recording
from tests.grader.commands import shells_line
from tests.grader.grading import (
    MORE_PATIENCE,
    TO_START,
    Question,
    Result,
    ask,
    grade,
    missing,
    passed,
    questions,
)
from tests.grader.languages import Unclear, built, language_in, seen_from_here, words_of
from tests.spec.stages import STAGES
from tests.spec.subject import Fault


class Server:
    """The reader's server of a stage: its command, a list, and what builds it, a line or "".

    Raises Unclear where there is neither a file of his nor a SERVER, or this is no command.
    """

    def __init__(self, stage, given=""):
        if given:
            progress.keep_server(stage, given, language_in(words_of_server(given)))
        state = progress.load()
        language = progress.language_of(state)
        given = progress.server_of(stage, state)
        self.file, self.builds = language.file(stage), "" if given else language.build_line(stage)
        self.command = words_of_server(given) if given else words_of(language.command(stage))
        if not given and not self.file.exists():
            raise Unclear(f"There is no {seen_from_here(self.file)}. Begin with: make start "
                          f"STAGE={stage.name}. Or say how your server is started: make check "
                          f"STAGE={stage.name} SERVER='node my/server.js'")
        self.shown = shlex.join(map(seen_from_here, self.command))

    def build(self):
        """Make the program; what the compiler said, and whether it worked."""
        return built(self.builds) if self.builds else (True, "")


def words_of_server(line):
    """What was given as SERVER, as a list. Raises Unclear."""
    if reason := shells_line(line):
        raise Unclear(reason)
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Unclear(f"SERVER={line} is no command: {error}.") from None


def check(stage, server, as_json=False):
    """Build, grade, print, remember; whether the stage is passed."""
    screen = printing.Screen()
    if not as_json:
        printing.head(screen, stage, server.shown)
    works, said = server.build()
    if not as_json and said:
        screen.say((f"  {server.builds}", "dim"))
        print(said, end="")
    if not works:
        return not_built(screen, stage, server, said, as_json)
    start = time.monotonic()
    results = grade_with_a_bar(screen.console, stage, server.command, hidden=as_json)
    seconds = time.monotonic() - start
    had_been_passed = stage.name in progress.load()["passed"]
    state = progress.remember(stage, results)
    if as_json:
        print(printing.as_json(stage, results, server.shown, seconds))
        return passed(results)
    printing.report(screen, stage, results, server.shown)
    printing.summary(screen, stage, results, seconds, state)
    what_next(screen, stage, results, state, had_been_passed)
    return passed(results)


def not_built(screen, stage, server, said, as_json):
    """Say that there is no program to ask; False."""
    if as_json:
        fault = Fault(server.builds, "The compiler makes a program of it.", said)
        results = [Result(Question("starts", "start"), "no", fault)]
        print(printing.as_json(stage, results, server.shown, 0))
    else:
        screen.say("")
        screen.say(("It does not compile.", "bold"), " The compiler says above what it did not "
                   "understand; begin with the first that it calls an error.")
    return False


def what_next(screen, stage, results, state, had_been_passed):
    """The last lines of a report: what to do now."""
    if passed(results):
        printing.bar(screen, state, progress.language_of(state),
                     progress.next_stage(state, stage.name))
        return
    screen.tell("", f"All that is sent, received and printed there: make check "
                    f"STAGE={stage.name} ONLY={missing(results)[0].name}", "dim")
    if had_been_passed:
        screen.say(f"Stage {stage.name} had been passed: its star stays, but your server has lost "
                   "something since.")


def grade_with_a_bar(console, stage, command, hidden=False):
    """The Results; until they are there a bar grows, if this is a terminal."""
    count = len(questions(stage))
    with rich.progress.Progress(console=console, transient=True,
                                disable=hidden or not console.is_terminal) as display:
        task = display.add_task("Asking", total=count)
        return grade(stage, command, lambda result: display.advance(task))


def check_all(as_json=False):
    """Check all stages that were passed, a line each; whether they still are."""
    names = progress.load()["passed"]
    if not names:
        raise Unclear("No stage is passed yet. Begin with: make start")
    screen, reports = printing.Screen(), []
    for name in names:
        good, lost = check_again(STAGES[name])
        reports.append({"stage": name, "passed": good, "missing": lost})
        if not as_json:
            mark = printing.MARKS["yes" if good else "no"]
            screen.say(mark, f" {name:3} ", "; ".join(lost) or STAGES[name].idea)
    bad = [report["stage"] for report in reports if not report["passed"]]
    if as_json:
        print(json.dumps(reports, indent=1))
    elif bad:
        screen.say(f"\nThe stars stay. To see more: make check STAGE={bad[0]}")
    else:
        screen.say(f"\nAll {len(names)} stages that were passed still are."
                   if len(names) > 1 else "\nThe stage that was passed still is.")
    return not bad


def check_again(stage):
    """Whether a stage is passed, and in words what is missing."""
    try:
        server = Server(stage)
        works, _ = server.build()
    except Unclear as reason:
        return False, [str(reason).partition(". ")[0]]
    if not works:
        return False, ["it does not compile"]
    results = grade(stage, server.command)
    return passed(results), [question.words for question in missing(results)]


def check_only(stage, server, name, as_json=False):
    """Ask one question, and print all that was said; whether the answer is good."""
    asked = {question.name: question for question in questions(stage)}
    if name not in asked:
        known = "\n".join(f"    {each:28} {asked[each].words}" for each in asked)
        raise Unclear(f"Stage {stage.name} is not asked for {name}. It is asked for:\n{known}")
    works, said = server.build()
    screen = printing.Screen()
    if not works:
        print("" if as_json else said, end="")
        return not_built(screen, stage, server, said, as_json)
    subject = recording.Heard(server.command, stage.arguments, MORE_PATIENCE, TO_START)
    start = time.monotonic()
    with recording.recorded() as clients:
        result = ask(asked[name], stage, subject)
    if as_json:
        seconds = time.monotonic() - start
        print(printing.as_json(stage, [result], server.shown, seconds))
        return result.good
    printing.head(screen, stage, server.shown)
    recording.tell(screen, clients, subject.servers)
    printing.report(screen, stage, [result], server.shown)
    return result.good
