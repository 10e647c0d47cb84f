"""The languages that a reader may write his servers in: which stages each has, and its commands."""

import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import lab
from tests.spec.stages import ORDER, STAGES

FOLDER = lab.PROJECT / "my"
FIRST = "1"  # the stage that every language begins with
FORKING = ["3c", "3d", "3e", "3f", "3g", "3j"]
ALIASES = {"py": "python", "js": "node", "javascript": "node", "nodejs": "node", "rb": "ruby",
           "pl": "perl", "golang": "go"}


class Unclear(Exception):
    """What was asked for cannot be done; the message says why, and what can."""


@dataclass(frozen=True)
class Language:
    """A language, with a track of its own through the stages.

    title     its name
    suffix    of its files
    runs      what starts a server; {program} is the path of its file without the suffix
    builds    what makes the program of the file; "" if nothing has to be made
    lacks     stages that it leaves out, WSGI aside, and why
    """

    title: str
    suffix: str
    runs: str
    builds: str = ""
    lacks: dict[str, str] = field(default_factory=dict)

    def why_without(self, name):
        """A sentence on why this language leaves a stage out; "" if it does not."""
        if STAGES[name].wsgi and self.title != "Python":
            return "WSGI is for Python alone"
        return self.lacks.get(name, "")

    @property
    def stages(self):
        """The names of the stages of its track, in their order."""
        return [name for name in ORDER if not self.why_without(name)]

    def file(self, stage):
        """Where the reader's server of a stage is: PROJECT/my/webserver3c.py."""
        return FOLDER / f"webserver{stage.name}{self.suffix}"

    def first_text(self):
        """The text of the file that stage 1 begins with."""
        return (Path(__file__).parent / f"first/webserver{FIRST}{self.suffix}").read_text()

    def predecessor(self, stage):
        """The Stage of this track that a stage goes on from: its parent, or a parent of that."""
        before = STAGES[stage.parent or FIRST]
        while before.name not in self.stages:
            before = STAGES[before.parent]
        return before

    def command(self, stage):
        """What starts the reader's server of a stage, as a line: ./my/webserver3c."""
        return self._filled(self.runs, stage)

    def build_line(self, stage):
        """What makes the reader's server of a stage; "" if nothing has to be made."""
        return self._filled(self.builds, stage)

    def _filled(self, line, stage):
        program = seen_from_here(self.file(stage).with_suffix(""))
        return line.format(program=program, file=program + self.suffix)


LANGUAGES = {
    "python": Language("Python", ".py", "python {file}"),
    "c": Language("C", ".c", "./{program}", "cc -Wall -pthread -o {program} {file}"),
    "go": Language("Go", ".go", "./{program}", "go build -o {program} {file}",
                   dict.fromkeys(FORKING, "Go has no fork")
                   | {"3l": "a goroutine waits by itself"}),
    "node": Language("Node.js", ".js", "node {file}", lacks=(
        dict.fromkeys(["3a", "3b"], "in Node.js nothing waits for one client")
        | dict.fromkeys(FORKING, "Node.js has no fork")
        | {"3i": "Node.js has one thread for all connections"})),
    "ruby": Language("Ruby", ".rb", "ruby {file}"),
    "perl": Language("Perl", ".pl", "perl {file}", lacks={
        "3i": "a thread of Perl is a copy of the whole program"}),
}


def language_named(name):
    """A key of LANGUAGES for what the reader calls it. Raises Unclear."""
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    if key not in LANGUAGES:
        raise Unclear(f"There are no files to start with in {name}. There are for "
                      f"{', '.join(LANGUAGES)}. For another language say how your server is "
                      "started: make check STAGE=1 SERVER='java my/Server.java'")
    return key


def seen_from_here(path):
    """A path as one types it in the project's folder."""
    return str(path).removeprefix(f"{lab.PROJECT}/")


def words_of(line):
    """A command of a Language as a list; python is the one that we run on."""
    words = shlex.split(line)
    return [sys.executable, *words[1:]] if words[0] == "python" else words


def language_in(words):
    """The key of the language of a command, by the suffix of its file; None if it has none."""
    for key, language in LANGUAGES.items():
        if any(word.endswith(language.suffix) for word in words):
            return key
    return None


def built(line):
    """Run a build line; whether it worked, and what the compiler said. Raises Unclear."""
    words = shlex.split(line)
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        raise Unclear(f"There is no {words[0]} here, which {line} needs. Install it, or say how "
                      "your server is started: make check SERVER=./my/a.out") from None
    return done.returncode == 0, done.stdout + done.stderr
