"""The stages as text: what one of them adds to another."""

import ast
import difflib
import sys
from html import escape
from textwrap import dedent

from lab.server import stage_file


class Diff:
    """A diff: as text, and in colour where a notebook shows it."""

    def __init__(self, lines):
        self.lines = lines

    def __repr__(self):
        return "\n".join(self.lines)

    def _repr_html_(self):
        colours = {"+": "#2da44e", "-": "#e5534b"}  # they read on white and on black
        lines = [f'<span style="color: {colours.get(line[:1], "inherit")}">{escape(line)}</span>'
                 for line in self.lines]
        text = "\n".join(lines)
        return f'<pre style="font-family: monospace; line-height: 1.35">{text}</pre>'


def diff(parent, stage, *names):
    """What `stage` adds to `parent` (+) and takes from it (-), docstrings aside: diff("3b", "3c").

    names   only what is in these functions: diff("2", "3h", "serve_forever", "start_child")
    """
    before, after = functions(code(parent), names), functions(code(stage), names)
    lines = list(difflib.unified_diff(before, after, n=2, lineterm=""))[3:]
    return Diff(["..." if line.startswith("@@") else line for line in lines])


def functions(lines, names):
    """Those lines that are in functions of these names; without a name, all of them."""
    if not names:
        return lines
    found = [node for node in ast.parse("\n".join(lines)).body
             if getattr(node, "name", None) in names]
    return [line for node in found for line in [*lines[node.lineno - 1:node.end_lineno], ""]]


def code(stage):
    """The lines of a stage without the docstring at its top."""
    source = stage_file(stage).read_text()
    docstring = ast.parse(source).body[0]
    return source.splitlines()[docstring.end_lineno + 1:]


def changed(stage, before, after):
    """A command that runs a stage with one piece of its text changed: for what one might try.

    Raises ValueError if that piece is not there, or more than once.
    """
    text = stage_file(stage).read_text()
    if text.count(before) != 1:
        raise ValueError(f"{before!r} stands {text.count(before)} times in {stage}, not once.")
    return [sys.executable, "-c", text.replace(before, after)]


def excerpt(stage, *names):
    """The text of some functions of a stage: excerpt("3t", "Worker.retire", "log")."""
    text = stage_file(stage).read_text()
    found = [_function(text, name) for name in names]
    lines = text.splitlines()
    return "\n\n".join(dedent("\n".join(lines[node.lineno - 1:node.end_lineno]))
                       for node in found)


def _function(text, name):
    """The node of a function, or of "Class.method". Raises LookupError if there is none."""
    node = ast.parse(text)
    for part in name.split("."):
        found = [child for child in node.body if getattr(child, "name", None) == part]
        if not found:
            raise LookupError(f"There is no {name} in this stage.")
        [node] = found
    return node
