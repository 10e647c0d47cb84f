"""make bench: how fast every stage is, and how fast the servers that people use.

All are measured in one run, in short rounds whose order rotates, for two shared cores are never
the same for long: compare figures of one run, as ratios. A part of them (--only) or a short run
(--quick) shows its table alone; --output keeps it. What was measured is kept as it goes: a run
that was interrupted goes on where it stopped, but for servers that were changed meanwhile.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from rich.console import Console

import lab
from tests.bench import load, tables
from tests.bench.contenders import PEERS_FOLDER, contenders, usual
from tests.bench.keeping import Kept
from tests.bench.measuring import Bench

RESULT = lab.PROJECT / "notebooks/bench.json"
UNFINISHED = lab.PROJECT / ".venv/bench"  # a folder: what interrupted runs have seen
FULL = {"rounds": 3, "seconds": 2, "asleep": 5, "idle": 100_000, "forks": 1000}
QUICK = {"rounds": 1, "seconds": 1, "asleep": 2, "idle": 500, "forks": 200}

console = Console(highlight=False)


def main():
    arguments = parse_arguments()
    for wish, text in ((arguments.table, tables.full), (arguments.readme, tables.for_readme)):
        if wish:
            print(text(read(arguments.output)))
            return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(arguments)
    except KeyboardInterrupt:
        console.print("\nStopped. No server is left running. The same command goes on from here; "
                      "with --fresh it begins anew.", soft_wrap=True)
        sys.exit(130)
    except load.CannotMeasure as reason:
        sys.exit(str(reason))


def parse_arguments():
    names = contenders()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names,
                        help=f"measure these, of: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--fresh", action="store_true",
                        help="do not go on with a run that was interrupted")
    parser.add_argument("--output", type=Path, metavar="FILE",
                        help="where the result goes, as JSON, and beside it as a table (default: "
                             "notebooks/bench.json); with --only, the others' figures stay in it")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", default=PEERS_FOLDER,
                        help="the environment to install other servers into")
    parser.add_argument("--table", action="store_true",
                        help="measure nothing; print the last result, all of it")
    parser.add_argument("--readme", action="store_true",
                        help="measure nothing; print of the last result what the README has")
    arguments = parser.parse_args()
    arguments.unfinished = unfinished(arguments)
    if arguments.table or arguments.readme or not (arguments.only or arguments.quick):
        arguments.output = arguments.output or RESULT
    if arguments.output and not arguments.output.parent.is_dir():
        parser.error(f"there is no folder {arguments.output.parent} to write the result to")
    arguments.plan = QUICK if arguments.quick else FULL
    if arguments.only and arguments.output and not fits(arguments.output, arguments.plan):
        parser.error(f"the figures in {arguments.output} are of another machine, or of shorter or "
                     "longer rounds; choose another file")
    return arguments


def fits(path, plan):
    """Whether figures of this plan may stand beside those of the file, if there is one."""
    if not path.exists():
        return True
    made = read(path)["made"]
    here = {**plan, **tables.machine(), "date": made.get("date")}
    return here.items() <= made.items()


def unfinished(arguments):
    """Where a run keeps what it has seen so far: each kind of run in a file of its own."""
    if arguments.output:
        return arguments.output.with_suffix(".unfinished")
    kind = ["quick" if arguments.quick else "full", *sorted(arguments.only or [])]
    return UNFINISHED / f"{'-'.join(kind)}.json"


def read(path):
    if not path.exists():
        sys.exit(f"There is no result at {path}. Make one: make bench")
    return json.loads(path.read_text())


def run(arguments):
    """Measure what was asked for, show it, and keep it."""
    tools = load.tools()
    if not tools:
        sys.exit("There is neither wrk nor ab here to put load on a server. Install them "
                 "(Debian: apt install wrk apache2-utils, macOS: brew install wrk).")
    everyone, names = contenders(), list(dict.fromkeys(arguments.only or usual()))
    chosen = [everyone[name] for name in names]
    kept = Kept(arguments.unfinished, {"names": sorted(names), **arguments.plan, **tools,
                                       "python": sys.version})
    if not arguments.fresh and (visits := kept.take_over(chosen)):
        console.print(f"Going on where the last run stopped, with {visits} of its visits done. "
                      "With --fresh, all is measured anew.", soft_wrap=True)
    bench = Bench(chosen, arguments.plan, tools, arguments.peers.resolve(), kept, console)
    bench.prepare()
    bench.measure()
    result = bench.result()
    tables.show(result, console)
    if arguments.output:
        write(arguments.output, with_the_others(result, arguments) if arguments.only else result)
    kept.forget()


def with_the_others(result, arguments):
    """The result, and from the file that it goes to the figures of those who were not measured."""
    if not arguments.output.exists():
        return result
    before = json.loads(arguments.output.read_text())
    joined, order = {**before, "made": result["made"]}, list(contenders())
    for part in ("servers", "left_out", "idle", "asleep", "forks"):
        all_of_them = {**{name: seen for name, seen in before.get(part, {}).items()
                          if owner(name) not in arguments.only}, **result[part]}
        joined[part] = {name: all_of_them[name] for name in sorted(
            all_of_them, key=lambda name: order.index(owner(name)))}
    return joined


def owner(name):
    """Who a figure is about: "bjoern, idle connections," is about bjoern."""
    return name.partition(",")[0]


def write(path, result):
    table = path.with_suffix(".md")
    path.write_text(json.dumps(result, indent=1) + "\n")
    table.write_text(tables.full(result) + "\n")
    console.print(f"Written to {os.path.relpath(path)}, and as a table to "
                  f"{os.path.relpath(table)}.", soft_wrap=True)


if __name__ == "__main__":
    main()
