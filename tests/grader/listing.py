"""make list: all stages, a line each: those that are done, the one here, those left out."""

import textwrap

from tests.grader import progress
from tests.spec.stages import STAGES, TRACKS

DONE, HERE, LEFT_OUT = "★", "→", "–"


def show(screen, state):
    """Print the list; the number of the line that names the stage here, from 0."""
    language, here, count, line = progress.language_of(state), progress.where(state), 0, 0
    for title, names in TRACKS.items():
        screen.say("" if count else "", (title, "bold"))
        count += 1
        for name in names:
            line = count if name == here else line
            screen.say(*stage_line(name, state["passed"], here, language, screen.width))
            count += 1
    screen.say(f"{DONE} done: {len(state['passed'])} of {len(language.stages)} stages in "
               f"{language.title}. {HERE} here. {LEFT_OUT} left out.")
    return line


def stage_line(name, done, here, language, width):
    """The parts of a line on a stage, of so many characters at most."""
    mark = DONE if name in done else " "
    arrow = HERE if name == here else " "
    if why := language.why_without(name):
        return (f"{arrow} {mark if name in done else LEFT_OUT} {name:3} ", (why, "dim"))
    style = "bold" if name == here else ""
    idea = textwrap.shorten(STAGES[name].idea, width - 9, placeholder=" ...")
    return (f"{arrow} ", (mark, "yellow"), f" {name:3} ", (idea, style))
