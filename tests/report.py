"""What bench.py measured: as data, and as tables for the terminal and the README."""

import os
import platform
import statistics
from datetime import date
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

MODES = {"kept": "kept", "new_heads": "new heads", "anew": "anew"}
PYTHON_PEERS = ["gunicorn-sync", "gunicorn-gthread", "waitress", "cheroot"]


def medians(samples):
    """The median of each figure of some dicts; of errors and requests the sum."""
    result = {}
    for name in samples[0]:
        values = [sample[name] for sample in samples if sample[name] is not None]
        reduce = sum if name in ("errors", "requests") else statistics.median
        result[name] = round(reduce(values), 3) if values else None
    return result


def medians_of_each(samples):
    """The same for each name that has samples: {name: [dict, ...], ...}."""
    return {name: medians(seen) for name, seen in samples.items() if seen}


def machine():
    """What the figures depend on, but no name of the machine or its user."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines()
              if line.startswith("model name")] if cpuinfo.exists() else []
    return {"date": str(date.today()), "cpu": models[0] if models else platform.processor(),
            "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version()}


def headings(result):
    memory = f"{result['made']['memory']} MB"
    return ["server", "connections", "requests/s", "median ms", "99 % ms", "CPU µs", memory]


def rows(result):
    """A row of text for each server and each way in which it was asked."""
    for name, seen in result["servers"].items():
        for mode, words in MODES.items():
            if mode in seen:
                yield [name, words, *cells(seen[mode]), str(seen["memory_mb"] or "")]


def cells(figures):
    mark = f" ({figures['errors']} errors)" if figures["errors"] else ""
    cpu = figures["cpu_us"]
    return [f"{figures['per_second']:,.0f}{mark}", f"{figures['median_ms']:.2f}",
            f"{figures['p99_ms']:.1f}", "" if cpu is None else f"{cpu:.1f}"]


def left_out(result):
    """Sentences on what could not be measured, or not to the end."""
    return [f"{name} is left out. {reason}" for name, reason in result["left_out"].items()]


def show(result, console):
    """Print the table, who was left out, and the ratios."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for number, heading in enumerate(headings(result)):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=True)
    last = None
    for name, *row in rows(result):
        table.add_row(name if name != last else "", *row)
        last = name
    console.print(table)
    for sentence in [how(result), *left_out(result), *ratios(result)]:
        console.print(escape(sentence), soft_wrap=True)


def for_readme(result):
    """The table of the README, the machine it was made on, and the ratios, as Markdown."""
    lines = [headings(result), ["---", "---"] + ["--:"] * 5, *rows(result)]
    table = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*table, "", " ".join([how(result), *left_out(result)]), "",
                      *[f"- {sentence}" for sentence in ratios(result)]])


def how(result):
    """How the figures were made, and on what, as a paragraph."""
    made = result["made"]
    by_ab = ", ".join(name for name, seen in result["servers"].items() if seen["load"] == "ab")
    tools = [f"wrk {made['wrk']}"] if "wrk" in made else []
    tools += [f"ab {made['ab']} for {by_ab}"] if by_ab else []
    rounds = f"the median of {made['rounds']} rounds" if made["rounds"] > 1 else "one round"
    workers = " (3j: four)" if "3j" in result["servers"] else ""
    return (f"One worker each{workers}. {made['connections']} connections at once, kept for many "
            "requests, the same with new heads, of which no two are alike, or made anew for each "
            f"request; {rounds} of {made['seconds']} s. The load is {' and '.join(tools)}. CPU is "
            "that of all the server's processes for one request; "
            f"{made['memory']} is their memory after the load. {made['cpu']}, "
            f"{made['cores']} cores, {made['system']}, Python {made['python']}, {made['date']}.")


def ratios(result):
    """What 3l and the forking stages are held against: a sentence for each that was measured."""
    return [f"{words}: {ratio:.2f}" + (f" (target: {target})" if target else "")
            for words, ratio, target in comparisons(result) if ratio is not None]


def comparisons(result):
    """(what is compared, the figure or None, its target)."""
    def of(name, mode, what):
        return (result["servers"].get(name, {}).get(mode) or {}).get(what)

    def rate(name):  # on connections that the client would keep
        return of(name, "kept", "per_second") or of(name, "anew", "per_second") or 0

    idle = result["idle"].get("3l", {})
    count = f"{idle.get('connections', 0):,}"
    return [
        ("CPU time per request, 3l over bjoern",
         over(of("3l", "kept", "cpu_us"), of("bjoern", "kept", "cpu_us")), "at most 1.5"),
        ("the same with heads that never repeat",
         over(of("3l", "new_heads", "cpu_us"), of("bjoern", "new_heads", "cpu_us")), ""),
        ("requests/s, 3l over the best of Gunicorn, Waitress and cheroot",
         over(rate("3l"), max(map(rate, PYTHON_PEERS))), "at least 15"),
        ("requests/s on connections made anew, 3l over bjoern",
         over(of("3l", "anew", "per_second"), of("bjoern", "anew", "per_second")), "at least 1"),
        (f"KiB of memory for each of {count} idle connections to 3l",
         over(idle.get("bytes_each"), 1024), "at most 4"),
        (f"requests/s of 3l beside {count} idle connections, over those alone",
         idle.get("beside_over_alone"), "at least 0.9"),
        *[(f"connections/s, {name} over a bare loop of fork, _exit and wait",
           seen["over_bare_loop"], "at least 0.8") for name, seen in result["forks"].items()],
    ]


def over(one, other):
    return one / other if one and other else None
