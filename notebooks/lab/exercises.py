"""Exercises: a cell compares the reader's answer with what was measured, or asks his server."""

import os
import re
import subprocess

from lab.server import PROJECT

NO_NUMBER = "{!r} is no number. Write one as Python does: 3, or 0.5."


def compare(answer, right, hint):
    """Say whether an answer is right; `...` is no answer yet.

    right   the value that was measured, or a function that is given the answer
    hint    a sentence for those whose answer is wrong
    """
    if answer is ...:
        print("Put your answer where the three dots are, and run the cell again.")
        return
    if type(right) in (int, float) and not isinstance(answer, (int, float)):
        print(NO_NUMBER.format(answer))
        return
    try:
        so = right(answer) if callable(right) else answer == right
    except TypeError:  # the function wants a number, and this is "0.3 s", or 0,3
        print(NO_NUMBER.format(answer))
        return
    print("Right." if so else f"Not so. {hint}")


def make(arguments):
    """Run make in the project's folder, and print what it says: make("check STAGE=3c")."""
    colours = {"FORCE_COLOR", "CLICOLOR_FORCE"}  # a kernel sets these, as if a cell were a terminal
    with subprocess.Popen(["make", "--silent", *arguments.split()], cwd=PROJECT, text=True,
                          env={name: os.environ[name] for name in os.environ.keys() - colours},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as running:
        for line in running.stdout:  # as it comes: a check takes a while
            if not re.match(r"make(\[\d+\])?: \*\*\* ", line):  # what its command's status was
                print(line, end="", flush=True)
