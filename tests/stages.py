"""The one table of the project: what each stage is, and what it does wrong on purpose.

A stage has every property but the faults that stand with it here. A fault's text is a regular
expression: what a check reports when it meets the fault. `python tests/stages.py` prints the
tables of the README.
"""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

PROPERTIES = {  # in the order of the table's columns
    "answers": "answers",
    "survives_silent_client": "survives a client that leaves without a word",
    "survives_garbled_client": "survives a client that sends nonsense",
    "survives_vanishing_client": "survives a client that leaves in the middle",
    "serves_while_another_waits": "serves a second client while the first is asleep",
    "ends_the_connection": "ends the connection",
    "keeps_descriptor_count": "keeps its descriptor count",
    "lives_on_256_descriptors": "lives through 300 clients on 256 descriptors",
    "leaves_no_zombie_after_one": "leaves no zombie after one client",
    "leaves_no_zombie_after_128": "leaves no zombie after 128 at once",
    "lives_through_signal": "lives through a signal in accept",
    "lives_without_processes": "lives when it can have no more processes",
    "runs_wsgi": "runs a WSGI application",
    "complete_pep3333": "complete PEP 3333",
    "keeps_alive": "keep-alive",
    "holds_5000_idle": "holds 5,000 idle connections",
}


@dataclass(frozen=True)
class Stage:
    """One stage. `changes` is how many lines its diff to the parent may have: those that are
    added and those that are removed, docstrings and empty lines aside."""

    name: str
    file: str
    idea: str
    parent: str | None = None
    changes: int = 0
    wsgi: bool = False
    claims: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def part(self):
        return self.file.partition("/")[0]

    def source(self):
        return (PROJECT / self.file).read_text()

    def docstring(self):
        return ast.get_docstring(ast.parse(self.source()))

    def code_lines(self):
        """The lines of its file without the docstrings and the empty lines."""
        prose = set()
        for node in ast.walk(ast.parse(self.source())):
            if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node):
                prose.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        return [line for number, line in enumerate(self.source().splitlines(), 1)
                if line.strip() and number not in prose]


WAITS = {"serves_while_another_waits": "got no answer", "holds_5000_idle": "got no answer"}
HELLO = {
    "runs_wsgi": "did not answer as the application does",
    "complete_pep3333": "did not answer as the application does",
    "keeps_alive": "closed the connection",
}
WSGI = {"complete_pep3333": "QUERY_STRING", "keeps_alive": "closed the connection"}
FORKS = {
    "lives_without_processes": "BlockingIOError: .Errno 11",
    "holds_5000_idle": "a process or a thread for each connection",
}
NEVER_REAPS = {
    "leaves_no_zombie_after_one": "1 zombie of 1",
    "leaves_no_zombie_after_128": "128 zombies of 128",
}
DIES_OF_EINTR = dict.fromkeys(
    ["survives_silent_client", "survives_garbled_client", "survives_vanishing_client",
     "keeps_descriptor_count", "lives_on_256_descriptors", "leaves_no_zombie_after_one",
     "leaves_no_zombie_after_128", "lives_through_signal"],
    "InterruptedError: .Errno 4",
)

STAGES = {stage.name: stage for stage in [
    Stage("1", "part1/webserver1.py",
          "a server waits on a socket, reads a request, writes a response",
          claims=["1.1", "1.5"],
          faults=WAITS | HELLO),
    Stage("2", "part2/webserver2.py",
          "WSGI: one server for any framework",
          claims=["2.2", "2.5", "2.8", "2.9"],
          wsgi=True, faults=WAITS | WSGI),
    Stage("3a", "part3/webserver3a.py",
          "one client at a time, the others queue",
          "1", 2, claims=["3.1", "3.7"], faults=WAITS | HELLO),
    Stage("3b", "part3/webserver3b.py",
          "it sleeps after each answer, so that one sees them queue",
          "3a", 5, claims=["3.2", "3.7"], faults=WAITS | HELLO),
    Stage("3c", "part3/webserver3c.py",
          "fork: a process for each connection",
          "3b", 24, claims=["3.8", "3.9", "3.10", "3.13"], faults=HELLO | FORKS | NEVER_REAPS),
    Stage("3d", "part3/webserver3d.py",
          "a fault: the parent keeps its copy of each connection",
          "3c", 5, claims=["3.11", "3.12", "3.13", "3.15"],
          faults=HELLO | FORKS | NEVER_REAPS | {
              "ends_the_connection": "still open",
              "keeps_alive": "got no answer",
              "keeps_descriptor_count": "20 clients later",
              "lives_on_256_descriptors": "OSError: .Errno 24. Too many open files",
          }),
    Stage("3e", "part3/webserver3e.py",
          "a SIGCHLD handler reaps; the signal interrupts accept (EINTR)",
          "3c", 16, claims=["3.18", "3.19", "3.21"], faults=HELLO | FORKS | DIES_OF_EINTR),
    Stage("3f", "part3/webserver3f.py",
          "it restarts the interrupted accept",
          "3e", 5, claims=["3.20", "3.21"],
          faults=HELLO | FORKS | {"leaves_no_zombie_after_128": "127 zombies of 128"}),
    Stage("3g", "part3/webserver3g.py",
          "it reaps until there is none left: no zombie stays",
          "3f", 24, claims=["3.22", "3.24"], faults=HELLO | FORKS),
    Stage("3h", "part3/webserver3h.py",
          "the WSGI server of part 2 with the fork and the reaper of 3g",
          "3g", 107, claims=["3.25"], wsgi=True, faults=WSGI | FORKS),
]}


def ideas():
    """A table of what each stage adds, as the README shows it."""
    lines = ["| stage | builds on | its idea |", "| --- | --- | --- |"]
    lines += [f"| [{stage.name}]({stage.file}) | {stage.parent or ''} | {stage.idea} |"
              for stage in STAGES.values()]
    return "\n".join(lines)


def properties():
    """A table of what each stage can do: a line for each property, a column for each stage."""
    lines = ["| | " + " | ".join(STAGES) + " |", "| --- |" + " :-: |" * len(STAGES)]
    for name, words in PROPERTIES.items():
        cells = ["**no**" if name in stage.faults else "yes" for stage in STAGES.values()]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def claims_of_tests():
    """The claims that tests are marked with."""
    return {claim for path in (PROJECT / "tests").rglob("test_*.py")
            for claim in re.findall(r'claim\("([\d.]+)"\)', path.read_text())}


if __name__ == "__main__":
    print(ideas(), properties(), sep="\n\n")
