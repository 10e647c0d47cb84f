"""Grade the reader's own server, stage by stage, in any language: make check STAGE=3c.

    start     a file in my/ to begin a stage with: the stage before it, and what to add
    check     what the server has of a stage, what it lacks, and one hint
    hint      the next hint on what was missing at the last check
    watch     check again whenever a file is saved
    list      all stages: those that are done, the one here, those left out
    solution  how our file of the stage differs from the reader's
"""

import argparse
import os
import signal
import sys

import lab
from lab.server import STARTING
from tests.grader import listing, printing, progress
from tests.grader.beginning import start, task
from tests.grader.checking import Server, check, check_all, check_only
from tests.grader.comparing import solution
from tests.grader.grading import Question
from tests.grader.languages import LANGUAGES, Unclear, language_named
from tests.grader.watching import watch
from tests.spec.stages import ORDER, STAGES

CLIENTS = 12_000  # descriptors that the clients of all checks may need


def stage_named(name, otherwise):
    """A Stage, however its name is written; without a name that of `otherwise`. Raises Unclear."""
    name = name.strip().lower() or otherwise or ORDER[-1]
    if name not in STAGES:
        raise Unclear(f"There is no stage {name}. There are: {', '.join(STAGES)}.")
    return STAGES[name]


def begin(wanted):
    """make start: begin a stage, in a language if one is named, and tell the task."""
    state = progress.load()
    key = language_named(wanted.lang) if wanted.lang else state["language"] or "python"
    language = LANGUAGES[key]
    if wanted.lang and not any(language.file(stage).exists() for stage in STAGES.values()):
        otherwise = language.stages[0]  # who is new to a track begins at its beginning
    else:
        otherwise = progress.next_stage({**state, "language": key})
    if not (wanted.stage or otherwise):
        raise Unclear(f"All stages that there are in {language.title} are passed. To check them "
                      "once more: make check ALL=1")
    stage = stage_named(wanted.stage, otherwise)
    said = start(stage, key, wanted.ours)
    print(f"Stage {stage.name}: {said}\n\n{task(stage, language)}", end="")


def hint(stage_name):
    """The next hint on the first thing that was missing at the last check."""
    state = progress.load()
    if not state["last"] or stage_name and stage_name != state["last"]:
        name = stage_name or progress.where(state)
        raise Unclear(f"Stage {name} was not the last that was checked. First: make check "
                      f"STAGE={name}" if state["last"] else
                      f"Nothing was checked yet. First: make check STAGE={name}")
    if not state["missing"]:
        raise Unclear(f"Stage {state['last']} is passed: there is nothing to hint at.")
    kind, name = state["missing"][0]
    printing.hint(printing.Screen(), Question(name, kind), progress.count_hint(name) + 1)


def run(wanted):
    """Do what is wanted; the exit status."""
    if wanted.action == "start":
        begin(wanted)
        return 0
    if wanted.lang:
        with progress.changed() as state:
            state["language"] = language_named(wanted.lang)
    if wanted.action == "list":
        listing.show(printing.Screen(), progress.load())
        return 0
    if wanted.action == "hint":
        hint(wanted.stage.strip().lower())
        return 0
    stage = stage_named(wanted.stage, progress.where(progress.load()))
    if wanted.action == "solution":
        solution(stage)
    elif wanted.action == "watch":
        watch(stage, wanted.server)
    else:
        return 0 if checked(stage, wanted) else 1
    return 0


def checked(stage, wanted):
    """make check: whether all is well."""
    if wanted.all:
        return check_all(wanted.json)
    server = Server(stage, wanted.server)
    if wanted.only:
        return check_only(stage, server, wanted.only, wanted.json)
    return check(stage, server, wanted.json)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action",
                        choices=["start", "check", "hint", "watch", "list", "solution"])
    parser.add_argument("--stage", default="", help="such as 3c; without it, that of the last "
                                                    "start")
    parser.add_argument("--lang", default="", help=f"one of {', '.join(LANGUAGES)}; it is "
                                                   "remembered")
    parser.add_argument("--server", default="", help="the command that starts your server; without "
                                                     "it, my/webserverSTAGE; it is remembered")
    parser.add_argument("--all", action="store_true", help="check all stages that were passed")
    parser.add_argument("--only", default="", help="ask one question, such as stops, and show all "
                                                   "that is said")
    parser.add_argument("--json", action="store_true", help="print the report of check as JSON")
    parser.add_argument("--ours", action="store_true", help="start with our code of the stage "
                                                            "before, not with yours")
    return parser.parse_args()


def main():
    os.chdir(lab.PROJECT)
    lab.allow_files(CLIENTS)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    try:
        status = run(arguments())
    except Unclear as reason:
        sys.exit(str(reason))
    except BrokenPipeError:  # make list | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except KeyboardInterrupt:
        with STARTING:  # every server has its guard now, which ends it when we do
            os._exit(130)
    sys.exit(status)


if __name__ == "__main__":
    main()
