"""Grade the reader's own server, stage by stage, in any language: make check STAGE=3c.

    check     what the server has of a stage, what it lacks, and one hint
    hint      the next hint on what was missing at the last check
    watch     check again whenever a file is saved
    start     a file in my/ to begin a stage with: the stage before it, and what to add
    solution  how our file of the stage differs from the reader's
"""

import argparse
import difflib
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import rich.progress
import watchfiles
from rich.syntax import Syntax

import lab
from lab.server import STARTING
from tests.grader import printing, progress
from tests.grader.beginning import beginning, predecessor
from tests.grader.commands import shells_line
from tests.grader.grading import Question, grade, passed, questions
from tests.spec.stages import STAGES

CLIENTS = 12_000  # descriptors that the clients of all checks may need


class Unclear(Exception):
    """What was asked for cannot be done; the message says why, and what can."""


def stage_named(name):
    """A Stage; without a name the one that the reader is at. Raises Unclear."""
    name = name or progress.next_stage(progress.load()) or progress.ORDER[-1]
    if name not in STAGES:
        raise Unclear(f"There is no stage {name}. There are: {', '.join(STAGES)}.")
    return STAGES[name]


def own_file(stage):
    """Where the reader's server of a stage is: PROJECT/my/webserver3c.py."""
    return progress.FOLDER / f"webserver{stage.name}.py"


def server_command(stage, server):
    """The command of the reader's server, as a list. Raises Unclear."""
    if server:
        if shells_line(server):
            raise Unclear(shells_line(server))
        try:
            return shlex.split(server)
        except ValueError as error:
            raise Unclear(f"SERVER={server} is no command: {error}.") from None
    if not own_file(stage).exists():
        raise Unclear(f"There is no my/webserver{stage.name}.py. Begin with: make start "
                      f"STAGE={stage.name}. Or say how your server is started: make check "
                      f"STAGE={stage.name} SERVER='node my/server.js'")
    return [sys.executable, as_seen_from_here(own_file(stage))]


def as_seen_from_here(path):
    """A path as one types it in the project's folder."""
    path = str(path)
    return path.removeprefix(f"{lab.PROJECT}/")


def check(stage, command, json=False):
    """Grade, print, remember; whether the stage is passed."""
    screen, shown = printing.Screen(), shlex.join(map(as_seen_from_here, command))
    if not json:
        printing.head(screen, stage, shown)
    start = time.monotonic()
    results = grade_with_a_bar(screen.console, stage, command, hidden=json)
    seconds = time.monotonic() - start
    state = progress.remember(stage, results)
    if json:
        print(printing.as_json(stage, results, shown, seconds))
    else:
        printing.report(screen, stage, results, shown)
        printing.summary(screen, stage, results, seconds, state)
        printing.bar(screen, state, progress.next_stage(state))
    return passed(results)


def grade_with_a_bar(console, stage, command, hidden):
    """The Results; until they are there a bar grows, if this is a terminal."""
    count = len(questions(stage))
    with rich.progress.Progress(console=console, transient=True,
                                disable=hidden or not console.is_terminal) as display:
        task = display.add_task("Asking", total=count)
        return grade(stage, command, lambda result: display.advance(task))


def watch(stage, command):
    """Check, and again when something in my/ or a file of the command was saved; until Ctrl-C."""
    files = [Path(word) for word in command
             if (lab.PROJECT / word).is_file() and word != sys.executable]
    progress.FOLDER.mkdir(exist_ok=True)
    saved = watchfiles.watch(progress.FOLDER, *{file.resolve().parent for file in files},
                             watch_filter=is_source, raise_interrupt=True, recursive=False,
                             yield_on_timeout=True, rust_timeout=1)
    next(saved)  # from here on nothing is missed
    screen = printing.Screen()
    while True:
        screen.console.clear()  # on a terminal
        check(stage, command)
        screen.say(("Waiting for a file to be saved. Ctrl-C ends this.", "dim"))
        while not next(saved):
            pass


def is_source(change, path):
    return not Path(path).name.startswith(".") and "__pycache__" not in path


def hint(stage_name):
    """The next hint on the first thing that was missing at the last check."""
    state = progress.load()
    if not state["last"] or stage_name and stage_name != state["last"]:
        name = stage_name or progress.ORDER[0]
        raise Unclear(f"Nothing was checked yet. First: make check STAGE={name}")
    if not state["missing"]:
        raise Unclear(f"Stage {state['last']} is passed: there is nothing to hint at.")
    kind, name = state["missing"][0]
    printing.hint(printing.Screen(), Question(name, kind), progress.count_hint(name) + 1)


def start(stage):
    """Write my/webserverSTAGE.py. Raises Unclear if it is there."""
    file = own_file(stage)
    progress.FOLDER.mkdir(exist_ok=True)
    try:
        with open(file, "x") as new:
            new.write(beginning(stage))
    except FileExistsError:
        raise Unclear(f"{as_seen_from_here(file)} is there already, and stays as it is.") from None
    print(f"{as_seen_from_here(file)} is there. Read the text at its top, then add the idea.\n"
          f"When you think that it does what it should: make check STAGE={stage.name}")
    own = own_file(predecessor(stage))
    if own.exists() and own != file:
        print(f"It goes on from our code. To go on from yours: cp {as_seen_from_here(own)} "
              f"{as_seen_from_here(file)}")


def solution(stage):
    """A diff of the reader's file and ours."""
    file = own_file(stage)
    if not file.exists():
        raise Unclear(f"There is no {as_seen_from_here(file)} to compare with {stage.file}.")
    lines = list(difflib.unified_diff(
        file.read_text().splitlines(), stage.source().splitlines(),
        as_seen_from_here(file), stage.file, lineterm=""))
    console = printing.Screen().console
    if not lines:
        print("They are the same.")
    elif console.is_terminal:
        console.print(Syntax("\n".join(lines), "diff", theme="ansi_dark"))
    else:
        print("\n".join(lines))


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["check", "hint", "watch", "start", "solution"])
    parser.add_argument("--stage", help="such as 3c; without it, the one that you are at")
    parser.add_argument("--server", help="the command that starts your server; without it, "
                                         "python my/webserverSTAGE.py")
    parser.add_argument("--json", action="store_true", help="print the report of check as JSON")
    return parser.parse_args()


def run(wanted):
    """Do what is wanted; the exit status."""
    if wanted.action == "hint":
        hint(wanted.stage)
        return 0
    stage = stage_named(wanted.stage)
    if wanted.action == "start":
        start(stage)
    elif wanted.action == "solution":
        solution(stage)
    elif wanted.action == "watch":
        watch(stage, server_command(stage, wanted.server))
    else:
        return 0 if check(stage, server_command(stage, wanted.server), wanted.json) else 1
    return 0


def main():
    os.chdir(lab.PROJECT)
    lab.allow_files(CLIENTS)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    try:
        status = run(arguments())
    except Unclear as reason:
        sys.exit(reason)
    except KeyboardInterrupt:
        with STARTING:  # every server has its guard now, which ends it when we do
            os._exit(130)
    sys.exit(status)


if __name__ == "__main__":
    main()
