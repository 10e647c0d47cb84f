"""What make start writes: the code of a stage before it, under a text that says what to add."""

import ast
import textwrap

from tests.grader.grading import questions
from tests.grader.hints import section
from tests.spec.stages import PROPERTIES, STAGES

FIRST = "1"  # what a stage without a parent begins with
EMPTY = '''
import os

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"

# Your server: it listens on HOST and PORT, and whatever a client asks, the answer is
# b"HTTP/1.1 200 OK\\r\\n\\r\\nHello, World!\\n", and the end of the connection.
'''
NOTHING_ASKED = """\
    nothing that make check asks for, and it must not lose what it had. Try the commands
    at the top of our file, on it and on yours."""


def beginning(stage):
    """The text of a new my/webserverSTAGE.py."""
    if stage.name == FIRST:
        return docstring(stage, None) + EMPTY
    before = predecessor(stage)
    return docstring(stage, before) + code(before)


def predecessor(stage):
    """The Stage to begin with: its parent."""
    return STAGES[stage.parent or FIRST]


def code(stage):
    """A stage from the end of its docstring on."""
    source = stage.source()
    end = ast.parse(source).body[0].end_lineno
    return "\n".join(source.splitlines()[end:]) + "\n"


def docstring(stage, before):
    what = f"This is the code of {before.file}. " if before else ""
    if stage.joins:
        what += f"Join {STAGES[stage.joins].file} to it. "
    text = wrapped(f"{what}The idea to add: {stage.idea}.")
    read = "\n".join(f"    {place}" for place in places(stage))
    command = " ".join([f"python my/webserver{stage.name}.py", *stage.arguments])
    return f'''"""Stage {stage.name}, mine.

{text}

Read about it:
{read}

What it has to have, more than before:
{news(stage, before)}

Try it:
    {command}
    make check STAGE={stage.name}
    make hint                 (if you are stuck)
    {"make solution STAGE=" + stage.name:25} (when you are done: how ours differs)
"""
'''


def places(stage):
    """Where to read of it: sections of the chapters, or else the texts of the stages."""
    sections = [place for place in map(section, stage.claims) if place]
    files = [STAGES[name].file for name in (stage.parent, stage.joins, stage.name) if name]
    return sections or [f"the text at the top of {file}" for file in files]


def news(stage, before):
    """A line for each thing that the stage is asked for and the one before it was not."""
    known = {question.words for question in questions(before)} if before else set()
    known |= {PROPERTIES[name] for name in before.has} if before else set()
    new = [question for question in questions(stage) if question.words not in known]
    return "\n".join(textwrap.fill(
        question.words + ", on purpose" * (question.kind == "show"), 95,
        initial_indent=" " * 4, subsequent_indent=" " * 8) for question in new) or NOTHING_ASKED


def wrapped(text):
    return textwrap.fill(text, 95)
