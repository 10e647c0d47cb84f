"""Exercises: a cell compares the reader's answer with what was measured, or asks his server."""

import os
import re
import subprocess

from lab.server import PROJECT


def compare(answer, right, hint):
    """Say whether an answer is right; `...` is no answer yet.

    right   the value that was measured, or a function that is given the answer
    hint    a sentence for those whose answer is wrong
    """
    if answer is ...:
        print("Put your answer where the three dots are, and run the cell again.")
    elif right(answer) if callable(right) else answer == right:
        print("Right.")
    else:
        print(f"Not so. {hint}")


def make(arguments):
    """Run make in the project's folder, and print what it says: make("check STAGE=3c")."""
    colours = {"FORCE_COLOR", "CLICOLOR_FORCE"}  # a kernel sets these, as if a cell were a terminal
    ended = subprocess.run(["make", "--silent", *arguments.split()], cwd=PROJECT, text=True,
                           env={name: os.environ[name] for name in os.environ.keys() - colours},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    lines = ended.stdout.splitlines()  # but for what make says of the status of its command
    print("\n".join(line for line in lines if not re.match(r"make(\[\d+\])?: \*\*\* ", line)))
