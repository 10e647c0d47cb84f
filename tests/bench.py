"""make bench: how fast every stage is, and how fast the servers that people use.

All are measured in one run, in short rounds whose order rotates, for two shared cores are never
the same for long: compare figures of one run, as ratios. A part of them (--only) or a short run
(--quick) shows its table alone; --output keeps it.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "notebooks"))

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import costs
import lab
import load
import report
from contenders import (
    PEERS_FOLDER,
    CannotInstall,
    contenders,
    install,
    is_installed,
    leaves_zombies,
)

RESULT = lab.PROJECT / "notebooks/bench.json"
FULL = {"rounds": 3, "seconds": 2, "idle": 10_000, "forks": 1000}
QUICK = {"rounds": 1, "seconds": 1, "idle": 500, "forks": 200}
NEW_HEADS = ["3l", "bjoern"]  # measured as well with heads that never repeat
IDLE = {"3l": ["--timeout", "300"], "bjoern": []}  # and beside idle connections
FORKING = ["3c", "3f", "3g"]  # and held against a loop that does nothing but fork
FILES = 12_000  # open files that those take
BOUND = 3000  # requests to a server that leaves zombies: each takes a process ID

console = Console(highlight=False)


def main():
    arguments = parse_arguments()
    if arguments.table:
        print(report.for_readme(read(arguments.output)))
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(arguments)
    except KeyboardInterrupt:
        console.print("\nStopped. No server is left running, and nothing was written.")
        sys.exit(130)
    except load.CannotMeasure as reason:
        sys.exit(str(reason))


def parse_arguments():
    names = contenders()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names,
                        help=f"measure these: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--output", type=Path, metavar="FILE",
                        help="where the result goes, as JSON (default: notebooks/bench.json)")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", default=PEERS_FOLDER,
                        help="the environment to install other servers into")
    parser.add_argument("--table", action="store_true",
                        help="measure nothing; print the result as the README has it")
    arguments = parser.parse_args()
    if arguments.table or not (arguments.only or arguments.quick):
        arguments.output = arguments.output or RESULT
    if arguments.output and not arguments.output.parent.is_dir():
        parser.error(f"there is no folder {arguments.output.parent} to write the result to")
    return arguments


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
    lab.allow_files(FILES)
    everyone = contenders()
    chosen = [everyone[name] for name in dict.fromkeys(arguments.only or everyone)]
    bench = Bench(chosen, QUICK if arguments.quick else FULL, tools, arguments.peers.resolve())
    bench.prepare()
    bench.measure()
    result = bench.result()
    report.show(result, console)
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")
        console.print(f"Written to {os.path.relpath(arguments.output)}.")


class Bench:
    """One run: who is measured, how, and what was seen so far."""

    def __init__(self, chosen, plan, tools, folder):
        self.chosen, self.plan, self.tools, self.folder = chosen, plan, tools, folder
        self.reasons = {one.name: one.left_out for one in chosen if one.left_out}
        self.used = {}  # the load tool for each
        self.samples = {one.name: {mode: [] for mode in load.MODES} for one in chosen}
        self.memory = {one.name: [] for one in chosen}
        self.idle = {one.name: [] for one in chosen if one.name in IDLE and "wrk" in tools}
        self.forks = {one.name: [] for one in chosen if one.name in FORKING}

    def prepare(self):
        """Install the peers that are not there yet."""
        for one in self.chosen:
            if is_installed(one, self.folder):
                continue
            console.print(f"Installing {one.requirement}, once: the next run finds it.")
            with console.status("This may take a minute."):
                try:
                    install(one, self.folder)
                except CannotInstall as reason:
                    self.reasons[one.name] = str(reason)

    def measure(self):
        """All rounds, and in each all contenders, in another order each time."""
        rounds = self.plan["rounds"]
        console.print(f"Measuring {len(self.chosen) - len(self.reasons)} servers with "
                      f"{' and '.join(self.tools)}, in {rounds} round{'s' * (rounds > 1)}.")
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=rounds * (len(self.chosen) + len(self.idle)))
            for number in range(rounds):
                say = partial(progress.update, task)
                start = number * len(self.chosen) // rounds
                for one in self.chosen[start:] + self.chosen[:start]:
                    say(description=f"round {number + 1}: {one.name}")
                    self.attempt(self.visit, one, one.name)
                    say(advance=1)
                for one in [one for one in self.chosen if one.name in self.idle]:
                    say(description=f"round {number + 1}: {one.name}, idle connections")
                    self.attempt(self.visit_idle, one, f"{one.name} with idle connections")
                    say(advance=1)

    def attempt(self, visit, one, name):
        """Visit a contender, unless it failed before; if it fails now, note the reason."""
        if {one.name, name} & self.reasons.keys():
            return
        try:
            visit(one)
        except lab.ServerError as error:
            words = load.last_line(str(error)).replace(f"{lab.PROJECT}/", "")
            self.reasons[name] = f"It did not start: {words}"
        except load.CannotMeasure as error:
            self.reasons[name] = str(error)

    def visit(self, one):
        """One round of one contender, in all the modes that it has."""
        with one.start(self.folder) as server:
            keeps, tells_end = costs.probe(server.port)
            tool = self.tool(tells_end)
            self.used[one.name] = tool
            costs.warm_up(server.port)
            for mode in self.modes(one.name, keeps):
                sample = costs.measure(server, partial(self.put_load, one, tool, mode))
                self.samples[one.name][mode].append(sample)
            self.memory[one.name].append(lab.memory(server.members(), costs.MEMORY))
        if one.name in FORKING:
            bare = costs.bare_forks(sys.executable, self.plan["forks"])
            stage = self.samples[one.name]["anew"][-1]["per_second"]
            self.forks[one.name].append({"bare_loop": bare, "over_bare_loop": stage / bare})

    def tool(self, tells_end):
        if "wrk" in self.tools and tells_end:
            return "wrk"
        if "ab" in self.tools:
            return "ab"
        raise load.CannotMeasure("Its answer has no Content-Length, so wrk counts every one as an "
                                 "error; ab does not, and is not installed.")

    def modes(self, name, keeps):
        """In which ways to ask: whoever keeps no connection is asked in one."""
        if not keeps:
            return ["anew"]
        return ["anew", "kept", *["new_heads"] * (name in NEW_HEADS and "wrk" in self.tools)]

    def put_load(self, one, tool, mode, port):
        if tool == "wrk":
            return load.with_wrk(port, mode, self.plan["seconds"])
        if leaves_zombies(one.name):
            return load.with_ab(port, mode, self.plan["seconds"], BOUND)
        return load.with_ab(port, mode, self.plan["seconds"])

    def visit_idle(self, one):
        """Idle connections, on a server that has not seen any before."""
        count = min(self.plan["idle"],
                    resource.getrlimit(resource.RLIMIT_NOFILE)[0] - load.CONNECTIONS - 100)
        with one.start(self.folder, *IDLE[one.name]) as server:
            costs.warm_up(server.port)
            self.idle[one.name].append(costs.measure_idle(server, count, self.plan["seconds"]))

    def result(self):
        """What was seen, as plain data; the medians of the rounds."""
        return {
            "made": {**report.machine(), **self.tools, "connections": load.CONNECTIONS, **self.plan,
                     "memory": costs.MEMORY},
            "servers": {one.name: self.result_of(one) for one in self.chosen
                        if one.name in self.used},
            "left_out": self.reasons,
            "idle": report.medians_of_each(self.idle),
            "forks": report.medians_of_each(self.forks),
        }

    def result_of(self, one):
        """The medians of one contender in each of its modes."""
        memory = self.memory[one.name]
        return {"version": one.requirement.partition("==")[2], "load": self.used[one.name],
                "memory_mb": round(statistics.median(memory) / 1e6, 1) if memory else None,
                **report.medians_of_each(self.samples[one.name])}


if __name__ == "__main__":
    main()
