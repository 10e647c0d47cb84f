"""The stages as text: what one of them adds to another."""

import ast
import difflib
from html import escape

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
