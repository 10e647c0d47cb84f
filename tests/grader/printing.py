"""What make check prints: a line for each question, and the evidence where something is wrong."""

import json
import textwrap
from itertools import groupby, zip_longest

from rich.console import Console
from rich.text import Text

from tests.grader import hints, tryit
from tests.grader.grading import WORDS, questions, to_hint_at
from tests.spec.stages import STAGES, TRACKS

GROUPS = {"property": "What it can do", "application": "What it does for an application",
          "step": "What its track has promised so far", "lesson": "Its lesson",
          "show": "Its faults, on purpose: show me", "manner": "Manners"}
MARKS = {"yes": ("✓", "green"), "shown": ("✓", "green"), "no": ("✗", "bold red"),
         "not shown": ("○", "bold yellow"), "excused": ("–", "dim"), "unseen": ("–", "dim")}
PLAIN = str.maketrans({"✓": "+", "✗": "X", "○": "o", "–": "-", "━": "#", "─": ".",
                       "★": "*", "→": ">"})  # ASCII
AT_LENGTH = 3  # so many faults are told with all their evidence; the others may come of these


class Screen:
    """A terminal, a hundred columns wide at most, or a file."""

    def __init__(self):
        self.console = Console(highlight=False, soft_wrap=True)
        self.width = min(self.console.width, 100) if self.console.is_terminal else 100

    def say(self, *parts):
        """A line made of texts, or of texts with a style: say("a ", ("b", "bold"))."""
        line = Text.assemble(*parts)
        if self.console.options.ascii_only:
            line.plain = line.plain.translate(PLAIN)
        self.console.print(line)

    def tell(self, label, text, style=""):
        """A text, wrapped, behind a label of its own width; its own line ends stay."""
        for line in text.splitlines():
            for part in textwrap.wrap(line, self.width - len(label)) or [""]:
                self.say(label, (part, style))
                label = " " * len(label)


def head(screen, stage, command):
    screen.say((f"Stage {stage.name}", "bold"), f": {stage.idea}")
    screen.say((f"  {command}", "dim"))


def report(screen, stage, results, command):
    """A line for each Result, in groups."""
    at_length = [result for result in results if not result.good][:AT_LENGTH]
    for kind, group in groupby(results, key=lambda result: result.question.kind):
        screen.say("")
        if kind in GROUPS:
            screen.say((f"  {GROUPS[kind]}", "bold"))
        for result in group:
            screen.say("  ", MARKS[result.verdict], f" {words(result)}")
            if result.reason:
                screen.tell(" " * 6, result.reason, "dim")
            elif result in at_length:
                evidence(screen, stage, result, command)
            elif not result.good:
                screen.tell(" " * 6, " ... ".join(ends(seen(result).splitlines())))


def words(result):
    return result.question.words + ": not shown yet" * (result.verdict == "not shown")


def seen(result):
    return result.fault.seen if result.fault else f"Your server {WORDS[result.question.name]}."


def last_words(result):
    """What the server itself said meanwhile, the end of it, unless that was seen already."""
    if not result.fault:
        return ""
    last = "\n".join(result.fault.said.strip().splitlines()[-3:])[-500:]
    return "" if last in result.fault.seen else last


def ends(lines):
    return lines if len(lines) == 1 else [lines[0], lines[-1]]


def evidence(screen, stage, result, command):
    if result.verdict == "no":
        screen.tell("      done      ", result.fault.done)
        screen.tell("      expected  ", result.fault.expected)
    screen.tell("      seen      ", seen(result))
    said = last_words(result)
    if said:
        screen.tell("      it said   ", said)
    line, look = tryit.see(result, stage, command)
    for label, part in zip_longest(["      try it    "], line.splitlines()):
        screen.say(label or " " * 16, (part, "cyan"))
    screen.tell("      look for  ", look)


def summary(screen, stage, results, seconds, progress):
    """How many of the questions are good, and a hint on the first that is not."""
    good = sum(result.good for result in results)
    screen.say("")
    if good == len(results):
        screen.say((f"Stage {stage.name} is passed", "bold green"), f", in {seconds:.1f} s.")
        return
    count = len(questions(stage))
    screen.say((f"{good} of {count}", "bold"), f", in {seconds:.1f} s.",
               " The others are asked when this is mended." * (len(results) < count))
    first = to_hint_at(stage, results)[0]
    number = progress["hints"].get(first.name, 1)
    hint(screen, first, number)
    if number < len(hints.hints(first)):
        screen.say(("make hint gives the next one.", "dim"))


def hint(screen, question, number):
    """The hint of this number, from 1; the last one if there are not so many."""
    texts = hints.hints(question)
    number = min(number, len(texts))
    screen.say("")
    screen.say((f"Hint {number} of {len(texts)}, on: {question.words}", "bold"))
    screen.tell("  ", texts[number - 1])


def bar(screen, progress, language, name):
    """A bar for each track, drawn as far as it is passed, and what comes next: a name, or None."""
    passed, possible = progress["passed"], language.stages
    tracks = {title: [stage for stage in names if stage in possible]
              for title, names in TRACKS.items()}
    longest = max(map(len, tracks.values()))
    screen.say("")
    for title, names in tracks.items():
        if names:
            screen.say(*[("━━━", "green") if stage in passed else ("───", "dim")
                         for stage in names], "   " * (longest - len(names)), f"  {title}")
    count = sum(stage in passed for stage in possible)
    screen.say(f"{count} of {len(possible)} stages")
    if name is None:
        screen.say(f"All stages that there are in {language.title} are passed. make bench compares "
                   "ours with other servers.")
    else:
        screen.tell("", f"Next is {name}: {STAGES[name].idea}.")
        screen.say(f"    make start STAGE={name}")


def as_json(stage, results, command, seconds):
    """The same for programs, as text."""
    return json.dumps({
        "stage": stage.name, "server": command, "seconds": round(seconds, 2),
        "passed": all(result.good for result in results),
        "results": [{
            "name": result.question.name, "kind": result.question.kind,
            "words": result.question.words, "verdict": result.verdict, "good": result.good,
            "done": result.fault and result.fault.done,
            "expected": result.fault and result.fault.expected,
            "seen": result.fault and result.fault.seen,
            "reason": result.reason or None,
        } for result in results]}, indent=1)
