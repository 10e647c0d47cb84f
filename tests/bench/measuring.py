"""One run of bench.py: visits to each server in turn, and what they brought."""

import statistics
import sys
from dataclasses import dataclass
from functools import partial

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import lab
from tests.bench import costs, load, tables
from tests.bench.contenders import (
    LAST,
    SLEEPING,
    THREADED,
    CannotInstall,
    install,
    is_installed,
    leaves_zombies,
    with_threads,
)
from tests.spec.stages import STAGES

NEW_HEADS = [LAST, "bjoern"]  # measured as well with heads that never repeat
IDLE = {LAST: ["--workers={workers}", "--timeout=600"], "bjoern": []}  # beside idle connections
MOST_WORKERS = {LAST: 16, "bjoern": 1}  # to hold those
FORKING = ["3c", "3f", "3g"]  # held against a loop that does nothing but fork
BOUND = 3000  # requests to a server that leaves zombies: each takes a process ID


@dataclass(frozen=True)
class Step:
    """One visit to one contender; visit is its name, call what makes it."""

    one: object
    visit: str
    call: object


class Bench:
    """Who is measured, how, and what was seen so far."""

    def __init__(self, chosen, plan, tools, folder, kept, console):
        self.chosen, self.plan, self.tools, self.folder = chosen, plan, tools, folder
        self.kept, self.console = kept, console
        self.reasons = {one.name: one.left_out for one in chosen if one.left_out}

    def prepare(self):
        """Install the peers that are not there yet."""
        for one in self.chosen:
            if is_installed(one, self.folder):
                continue
            self.console.print(f"Installing {one.requirement}, once: the next run finds it.")
            with self.console.status("This may take a minute."):
                try:
                    install(one, self.folder)
                except CannotInstall as reason:
                    self.reasons[one.name] = str(reason)

    def steps(self):
        """All rounds, and in each all contenders, in another order each time; then what is
        done once."""
        rounds = self.plan["rounds"]
        for number in range(rounds):
            start = number * len(self.chosen) // rounds
            for one in self.chosen[start:] + self.chosen[:start]:
                yield Step(one, f"round {number + 1}", self.visit)
        for one in self.chosen:
            if one.name in IDLE and "wrk" in self.tools:
                yield Step(one, "idle connections", self.visit_idle)
            if one.name == THREADED and "wrk" in self.tools:
                yield Step(one, "asleep", self.visit_asleep)

    def measure(self):
        """Take all steps that were not taken before, and keep each one's figures."""
        steps = [step for step in self.steps() if step.one.name not in self.reasons
                 and step.visit not in self.kept.visits(step.one.name)]
        servers, rounds = len(self.chosen) - len(self.reasons), self.plan["rounds"]
        self.console.print(f"Measuring {servers} server{'s' * (servers != 1)} with "
                           f"{' and '.join(self.tools)}, in {rounds} round{'s' * (rounds > 1)}.")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                   TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task("", total=len(steps))
            for step in steps:
                progress.update(task, description=f"{step.visit}: {step.one.name}")
                self.attempt(step)
                progress.update(task, advance=1)

    def attempt(self, step):
        """Visit a contender, unless it failed before; if it fails now, note the reason."""
        one, in_a_round = step.one, step.visit.startswith("round")
        name = one.name if in_a_round else f"{one.name}, {step.visit},"
        if one.name in self.reasons:
            return
        try:
            self.kept.add(one, step.visit, step.call(one))
        except lab.ServerError as error:
            words = load.last_line(str(error)).replace(f"{lab.PROJECT}/", "")
            self.reasons[name] = f"It did not start: {words}"
        except load.CannotMeasure as error:
            self.reasons[name] = str(error)

    def visit(self, one):
        """One round of one contender, in all the modes that it has."""
        seen = {"modes": {}}
        with one.start(self.folder) as server:
            keeps, tells_end = costs.probe(server.port)
            seen["tool"] = self.tool(tells_end)
            costs.warm_up(server.port)
            for mode in self.modes(one.name, keeps):
                put_load = partial(self.put_load, one, seen["tool"], mode)
                seen["modes"][mode] = costs.measure(server, put_load)
            seen["memory"] = lab.memory(server.members(), costs.MEMORY)
        if one.name in FORKING:
            bare = costs.bare_forks(sys.executable, self.plan["forks"])
            stage = seen["modes"]["anew"]["per_second"]
            seen["forks"] = {"bare_loop": bare, "over_bare_loop": stage / bare}
        return seen

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
        wanted = self.plan["idle"]
        with costs.open_files(wanted * 5 // 4) as files:
            count, workers, why = costs.room(wanted, files, MOST_WORKERS[one.name])
            options = [option.format(workers=workers) for option in IDLE[one.name]]
            with one.start(self.folder, *options) as server:
                costs.warm_up(server.port)
                seen = costs.measure_idle(server, count, self.plan["seconds"], self.plan["rounds"])
        return {"wanted": wanted, "workers": workers, **seen,
                "limited_by": seen["limited_by"] or why}

    def visit_asleep(self, one):
        """The same server with a thread for each client, and an application that sleeps."""
        with with_threads(STAGES[LAST], load.CONNECTIONS, SLEEPING).start(self.folder) as server:
            return costs.measure_asleep(server, self.plan["asleep"])

    def result(self):
        """What was seen, as plain data; the medians of the rounds."""
        rounds = {one.name: [seen for visit, seen in self.kept.visits(one.name).items()
                             if visit.startswith("round")] for one in self.chosen}
        return {
            "made": {**tables.machine(), **self.tools, "connections": load.CONNECTIONS, **self.plan,
                     "memory": costs.MEMORY, "last": LAST},
            "servers": {one.name: figures_of(one, rounds[one.name]) for one in self.chosen
                        if rounds[one.name]},
            "left_out": self.reasons,
            "idle": self.once("idle connections"),
            "asleep": self.once("asleep"),
            "forks": tables.medians_of_each({name: [seen["forks"] for seen in of_one
                                                    if "forks" in seen]
                                             for name, of_one in rounds.items()}),
        }

    def once(self, visit):
        seen = {one.name: self.kept.visits(one.name).get(visit) for one in self.chosen}
        return {name: figures for name, figures in seen.items() if figures}


def figures_of(one, rounds):
    """The medians of one contender in each of its modes."""
    modes = {mode: [seen["modes"][mode] for seen in rounds] for mode in rounds[0]["modes"]}
    memory = statistics.median([seen["memory"] for seen in rounds])
    return {"version": one.requirement.partition("==")[2], "load": rounds[0]["tool"],
            "memory_mb": round(memory / 1e6, 1),
            **tables.medians_of_each(modes)}
