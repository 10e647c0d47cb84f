"""What make start writes: the code of a stage before it; and what it tells: what to add."""

import ast
import re
import shlex
import textwrap

from tests.grader import progress
from tests.grader.grading import questions
from tests.grader.hints import section
from tests.grader.languages import FIRST, FOLDER, LANGUAGES, Unclear, seen_from_here
from tests.spec.stages import PROPERTIES, STAGES

PYTHON = LANGUAGES["python"]
NOTES = {  # what one has to know of a stage besides
    "3c": "Crowds come from here on. Let more clients queue than five: ours has a queue of 1024.",
    "3f": "Where accept goes on by itself after a signal, as in Python, in Ruby, or in C with "
          "SA_RESTART, there is nothing to add: check, and go on.",
}
NOTHING_ASKED = """\
    nothing that make check asks for, and it must not lose what it had. Try the commands
    at the top of our file, on it and on yours."""


def start(stage, key, ours=False):
    """Write the reader's file of a stage, in the language of a key, if it is not there; what
    there is to say of it, as text. Raises Unclear where the language leaves the stage out."""
    language = LANGUAGES[key]
    if why := language.why_without(stage.name):
        raise Unclear(f"Stage {stage.name} is left out in {language.title}: {why}. The stages "
                      f"in {language.title} are {', '.join(language.stages)}.")
    file, source = language.file(stage), own_source(stage, language, ours)
    FOLDER.mkdir(exist_ok=True)
    try:
        with open(file, "x") as new:
            new.write(text_of(stage, language, source))
        said = f"{seen_from_here(file)} is there{came_from(stage, language, source)}"
    except FileExistsError:
        said = (f"{seen_from_here(file)} is there already, and stays as it is. To go on to another "
                "stage all the same, name it.")
    progress.begin(stage, key)
    return said


def own_source(stage, language, ours):
    """The reader's file that a stage goes on from, or None: that of the stage before it. In
    Python there is ours as well, and it is taken where the reader's is not passed."""
    if stage.name == FIRST or ours:
        return None
    before, passed = language.predecessor(stage), progress.load()["passed"]
    while not language.file(before).exists() and before.name != FIRST:
        before = language.predecessor(before)
    if not language.file(before).exists():
        return None
    if language == PYTHON and not (before.name in passed
                                   and before == language.predecessor(stage)):
        return None
    return language.file(before)


def text_of(stage, language, source):
    """The text of a new file of a stage, that goes on from a file or, if that is None, from
    ours."""
    if language == PYTHON:
        return beginning(stage, source)
    return source.read_text() if source else language.first_text()


def came_from(stage, language, source):
    """The rest of a sentence: what is in the new file."""
    file = seen_from_here(language.file(stage))
    if stage.name == FIRST:
        return "."
    if source:
        before = STAGES[source.stem.removeprefix("webserver")]
        back = f" Stage {stage.name} goes on from {before.name}." * skips(before, stage, language)
        again = f"\nTo go on from our code instead: rm {file}; make start STAGE={stage.name} OURS=1"
        return (f", a copy of your {seen_from_here(source)}.{back}"
                + again * (language == PYTHON))
    if language == PYTHON:
        return f", with the code of {language.predecessor(stage).file}."
    return (f", with what stage {FIRST} begins with: my/ has no server in {language.title} "
            "to go on from.")


def skips(one, other, language):
    """Whether stages of the track stand between the two."""
    return language.stages.index(other.name) - language.stages.index(one.name) > 1


def beginning(stage, source=None):
    """The text of a new my/webserverSTAGE.py, that goes on from a file of the reader's or from
    ours."""
    if stage.name == FIRST:
        return f'"""Stage {stage.name}, mine.\n\n{task(stage)}"""\n' + PYTHON.first_text()
    before = PYTHON.predecessor(stage)
    text = source.read_text() if source else before.source()
    name = seen_from_here(source) if source else before.file
    return (f'"""Stage {stage.name}, mine.\n\nThis is the code of {name}.\n\n{task(stage)}"""\n'
            + code(text))


def code(text):
    """A program from the end of its docstring on; all of it, if that cannot be told."""
    try:
        if ast.get_docstring(tree := ast.parse(text)) is None:
            return "\n" + text
    except SyntaxError:
        return "\n" + text
    return "\n".join(text.splitlines()[tree.body[0].end_lineno:]) + "\n"


def task(stage, language=PYTHON):
    """What a stage adds, where to read of it, what it has to have, and commands to try."""
    join = f"Join {STAGES[stage.joins].file} to it. " if stage.joins else ""
    before = language.predecessor(stage) if stage.name != FIRST else None
    idea = "The idea to add" if before else "The idea"
    note = f"\n\n{textwrap.fill(NOTES[stage.name], 95)}" if stage.name in NOTES else ""
    text = textwrap.fill(f"{join}{idea}: {stage.idea}.", 95) + note
    read = "\n".join(textwrap.fill(place, 95, initial_indent="    ", subsequent_indent="        ")
                     for place in places(stage))
    return f"""{text}

Read about it:
{read}

What it has to have{", more than before" * bool(before)}:
{news(stage, before)}

Try it:
{trials(stage, language)}
"""


def trials(stage, language):
    """Commands to try, a line each."""
    command = shlex.join([*language.command(stage).split(), *stage.arguments])
    lines = [language.build_line(stage), command,
             f"{'curl -v localhost:8888/':25} (in a second terminal)",
             f"make check STAGE={stage.name}",
             f"{'make hint':25} (if you are stuck)",
             f"{'make solution STAGE=' + stage.name:25} (when you are done: how ours differs)"]
    return "\n".join(f"    {line}" for line in lines if line)


def places(stage):
    """Where to read of it: sections of the chapters, or else the texts of the stages."""
    sections = sorted(filter(None, map(section, stage.claims)), key=in_order)
    files = [STAGES[name].file for name in (stage.parent, stage.joins, stage.name) if name]
    return sections or [f"the text at the top of {file}" for file in files]


def in_order(place):
    """The numbers in it: of its chapter, and of its section."""
    return [int(number) for number in re.findall(r"\d+", place)]


def news(stage, before):
    """A line for each thing that the stage is asked for and the one before it was not."""
    known = {question.words for question in questions(before)} if before else set()
    known |= {PROPERTIES[name] for name in before.has} if before else set()
    new = [question for question in questions(stage) if question.words not in known]
    return "\n".join(textwrap.fill(
        question.words + ", on purpose" * (question.kind == "show"), 95,
        initial_indent=" " * 4, subsequent_indent=" " * 8) for question in new) or NOTHING_ASKED
