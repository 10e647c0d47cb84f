"""make solution: what our file of a stage has that the reader's has not; code first."""

import difflib
import textwrap

from rich.syntax import Syntax

from tests.grader import printing, progress
from tests.grader.beginning import PYTHON, code
from tests.grader.languages import Unclear, seen_from_here
from tests.spec.stages import STAGES


def solution(stage):
    """Print a diff of the reader's file and ours, if he wants to see it; then our text."""
    if stage.name not in progress.load()["passed"] and not sure(stage):
        raise Unclear(f"Not shown. make hint STAGE={stage.name} gives the next hint.")
    console, (one, name) = printing.Screen().console, compared(stage)
    lines = list(difflib.unified_diff(one.strip().splitlines(),
                                      code(stage.source()).strip().splitlines(),
                                      name, stage.file, lineterm=""))
    if not lines:
        print("They are the same.")
        return
    if console.is_terminal:
        console.print(Syntax("\n".join(lines), "diff", theme="ansi_dark"))
    else:
        print("\n".join(lines))
    print(f"\nWhat {stage.file} says of it:\n")
    print(textwrap.indent(stage.docstring().strip(), "    "))


def sure(stage):
    """Whether the reader says yes; no answer is a no."""
    try:
        answer = input(f"Stage {stage.name} is not passed yet. Are you sure that you want to see "
                       "our solution? [y/N] ")
    except EOFError:
        print()
        return False
    return answer.strip().lower() in ("y", "yes")


def compared(stage):
    """The code to compare ours with, and its name: the reader's, if it is in Python; or else that
    of our stage before it, so that one sees the idea alone."""
    file = PYTHON.file(stage)
    if file.exists():
        return code(file.read_text()), seen_from_here(file)
    if stage.parent:
        before = STAGES[stage.parent]
        return code(before.source()), before.file
    return "", "/dev/null"
