"""Mysteries: a server misbehaves, the reader says which fault it is, and in which line.

    harbour = Mystery("harbour")
    server = harbour.start()               then whatever shows how it misbehaves
    harbour.show()                         the file, with the numbers of its lines, and four faults
    harbour.answer(fault="b", line=12)     right, or where to look again
    harbour.solution()                     for those who have tried

When the answer is right, the server is mended before one's eyes, and tried again.
"""

import difflib
import sys
from textwrap import fill

from lab.cases import CASES
from lab.server import PROJECT, start
from lab.source import Diff

FOLDER = PROJECT / "notebooks/mysteries"


def say(sentences):
    """Print sentences, in lines that a page holds."""
    print(fill(sentences, 96))


def difference(before, after):
    """What has changed between two texts, with a line around it; "..." for what lies between."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    return Diff(["..." if line.startswith("@@") else line for line in list(lines)[3:]])


def letter_of(fault):
    """The letter of a fault, as one may write it: B is b."""
    return fault.strip().lower() if isinstance(fault, str) else fault


def number_of(line):
    """The number of a line, as one may write it: "12" is 12."""
    return int(line) if isinstance(line, str) and line.strip().isdecimal() else line


class Mystery:
    """One of the servers in notebooks/mysteries; `file` is its path.

    Raises ValueError, with those that there are, if there is none of that name.
    """

    def __init__(self, name):
        if name not in CASES:
            raise ValueError(f"There is no mystery {name!r}. There are: {', '.join(CASES)}.")
        self.name, self.case, self.tried = name, CASES[name], False
        self.file = FOLDER / f"{name}.py"

    @property
    def text(self):
        return self.file.read_text()

    def start(self, **options):
        """Start the server as it is; a lab.Server. Options are those of lab.start."""
        return start([sys.executable, str(self.file)], honest=True, **options)

    def show(self):
        """Print the file, each line with its number, and the faults to choose from."""
        for number, line in enumerate(self.text.splitlines(), 1):
            print(f"{number:3}  {line}".rstrip())
        print("\nWhich fault is it?")
        for letter, fault in self.case.faults.items():
            print(f"  {letter}  {fault}")

    def answer(self, fault, line):
        """Say whether this is the fault, and this the line, or where to look again.

        fault   the letter of one of the faults; "?" is no answer yet
        line    the number of a line; `...` is no answer yet
        """
        fault, line = letter_of(fault), number_of(line)
        if fault in (..., "?", "") or line is ...:
            say("Put the letter of a fault in place of the question mark, and the number of a line "
                "in place of the dots; then run the cell again. The line is the one that you would "
                "change, or beside which you would add another.")
        elif fault not in self.case.faults:
            print(f"There is no fault {fault!r}. There are: {', '.join(self.case.faults)}.")
        elif line not in range(1, len(self.text.splitlines()) + 1):
            print(f"There is no line {line!r}. They go from 1 to {len(self.text.splitlines())}.")
        elif fault == self.case.fault and line in self.lines():
            self.tried = True
            print("Right.")
            self._explain()
        else:
            self._point(fault, line)

    def solution(self):
        """Tell the fault and the line; but only those who have tried."""
        if not self.tried:
            print(f'Try first: {self.name}.answer(fault="?", line=...). After that it is told.')
            return
        ours, *others = map(str, self.lines())
        also = f" {', '.join(others)} would do as well." if others else ""
        fault = self.case.fault
        say(f"The fault is {fault}: {self.case.faults[fault]}. Line {ours}.{also}")
        self._explain()

    def lines(self):
        """The numbers of the lines that are right, ours first."""
        return [self.text[:self.text.index(part)].count("\n") + 1 for part in self.case.lines]

    def mended(self):
        """The file's text when the fault has been mended. Raises ValueError if it has changed."""
        text = self.text
        for before, after in self.case.mend:
            if text.count(before) != 1:
                raise ValueError(f"{before!r} does not stand once in {self.file.name}.")
            text = text.replace(before, after)
        return text

    def try_it(self, text):
        """What a user sees of a server of this text, in a sentence."""
        return self.case.trial(
            lambda **options: start([sys.executable, "-c", text], honest=True, **options))

    def _point(self, fault, line):
        """Where to look again, after a wrong answer."""
        self.tried = True
        if fault == self.case.fault:
            say(f"The fault is right, the line is another. {self.case.where}")
        else:
            well = "The line is one to look at, the fault is another." \
                if line in self.lines() else "Not so."
            say(f"{well} {self.case.pointers[fault]}")
        print(f"Or else {self.name}.solution() tells it.")

    def _explain(self):
        """Say what happens, mend it, and try both servers."""
        before, after = self.text, self.mended()
        say(self.case.why)
        print(f"\n{difference(before, after)}\n")
        print(f"As it is:  {self.try_it(before)}\nMended:    {self.try_it(after)}")
