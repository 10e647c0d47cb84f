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
IN_WORDS = {
    "kept": "On connections that stay open",
    "new_heads": "On the same, where no two requests have the same head,",
    "anew": "With a connection made anew for each request",
}
PYTHON_PEERS = {  # and the settings in which each was measured
    "Gunicorn": ["gunicorn-sync", "gunicorn-gthread", "gunicorn-gthread-4"],
    "Waitress": ["waitress", "waitress-1"],
    "cheroot": ["cheroot"],
}
FOUR_THREADS = ["gunicorn-gthread-4", "waitress"]


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
    fewer = [f"{name} had {seen['connections']:,} of {seen['wanted']:,} idle connections: "
             f"{seen['limited_by']}." for name, seen in result["idle"].items()
             if seen.get("limited_by")]
    return [*[f"{name} is left out. {reason}" for name, reason in result["left_out"].items()],
            *fewer]


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


def full(result):
    """All that was measured, the machine it was made on, and the ratios, as Markdown."""
    return "\n".join([*markdown([headings(result), ["---", "---"] + ["--:"] * 5, *rows(result)]),
                      "", " ".join([how(result), *left_out(result)]), "",
                      *[f"- {sentence}" for sentence in ratios(result)]]).rstrip()


def for_readme(result):
    """What a reader wants to know of the last stage, as six sentences at most, and the machine."""
    sentences = [*rates_in_words(result), *memory_in_words(result), *idle_in_words(result),
                 *sleeping_in_words(result)]
    return "\n".join([*[f"- {sentence}" for sentence in sentences], "", machine_of(result)])


def rates_in_words(result):
    """How many requests/s, in each way in which one asks, beside the best Gunicorn and bjoern."""
    for mode, words in IN_WORDS.items():
        names = [best(result, PYTHON_PEERS["Gunicorn"], [mode]), "bjoern"]
        others = [f"{name} {about(figure)}" for name in names
                  if (figure := of(result, name, mode, "per_second"))]
        if ours := of(result, result["made"]["last"], mode, "per_second"):
            yield (f"{words} it answers about {about(ours)} requests a second"
                   f"{'; ' * bool(others)}{', '.join(others)}.")


def memory_in_words(result):
    names = [result["made"]["last"], best(result, PYTHON_PEERS["Gunicorn"]), "bjoern"]
    ours, *others = [result["servers"].get(name, {}).get("memory_mb") for name in names]
    known = [f"{name} {figure:.0f}" for name, figure in zip(names[1:], others, strict=True)
             if figure]
    if ours:
        yield (f"With one worker it takes {ours:.0f} MB of memory"
               f"{'; ' * bool(known)}{', '.join(known)}.")


def idle_in_words(result):
    if seen := result["idle"].get(result["made"]["last"]):
        workers = seen.get("workers", 1)
        over_workers = f", over {workers} workers," if workers > 1 else ""
        yield (f"Each of {seen['connections']:,} idle connections{over_workers} takes "
               f"{seen['bytes_each'] / 1024:.1f} KiB, and beside them it answers "
               f"{seen['beside_over_alone']:.0%} of what it answers without them.")


def sleeping_in_words(result):
    for seen in result.get("asleep", {}).values():
        yield ("With 64 threads, and 64 clients of an application that sleeps for 50 ms, it "
               f"answers {seen['over_ideal']:.0%} of what can be answered.")


def about(figure):
    """A figure of which another machine would have another: 57,939 is 58,000."""
    return f"{float(f'{figure:.2g}'):,.0f}"


def markdown(lines):
    return [f"| {' | '.join(line)} |" for line in lines]


def best(result, names, modes=MODES):
    """Which of these servers answers the most requests/s, in whichever of these ways one asks."""
    return max(names, key=lambda name: rate(result, name, modes))


def rate(result, name, modes=MODES):
    seen = result["servers"].get(name, {})
    return max([seen[mode]["per_second"] for mode in modes if mode in seen], default=0)


def machine_of(result):
    made = result["made"]
    return (f"{made['cpu']}, {made['cores']} cores, {made['system']}, Python {made['python']}, "
            f"{made['date']}.")


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
            f"{made['memory']} is their memory after the load. {machine_of(result)}")


def ratios(result):
    """What the last stage and the forking stages are held against, and what we want of them."""
    return [f"{sentence} ({wanted})" for sentence, wanted in [*comparisons(result),
                                                              *forks(result)]]


def comparisons(result):
    """(a sentence, what is wanted) for each comparison of the last stage that was measured."""
    last = result["made"]["last"]
    return [*processor_time(result, last), *throughput(result, last), *threads(result, last),
            *idle(result, last)]


def processor_time(result, last):
    ways = {"kept": ("on a kept connection", "at most 1.4"),
            "new_heads": ("with heads that never repeat", "at most 1.8"),
            "anew": ("on a connection made anew", "at most 1.3")}
    for mode, (words, wanted) in ways.items():
        if ratio := over(*[of(result, name, mode, "cpu_us") for name in (last, "bjoern")]):
            yield f"A request {words} costs {last} {ratio:.2f} times bjoern's CPU time.", wanted


def throughput(result, last):
    name = best(result, [name for names in PYTHON_PEERS.values() for name in names])
    if ratio := over(of(result, last, "kept", "per_second"), rate(result, name)):
        yield (f"{last} answers {ratio:.1f} times the requests/s of {name}, the best of Gunicorn, "
               "Waitress and cheroot.", "at least 8")


def threads(result, last):
    name = best(result, FOUR_THREADS)
    if ratio := over(of(result, f"{last}-threads", "kept", "per_second"), rate(result, name)):
        yield (f"With four threads {last} answers {ratio:.1f} times the requests/s of {name}, the "
               "better of gthread and Waitress with four.", "at least 3")
    for seen in result.get("asleep", {}).values():
        yield (f"With 64 threads, an application that sleeps for 50 ms, and 64 clients, {last} "
               f"makes {seen['over_ideal']:.2f} of what can be made.", "at least 0.9")


def idle(result, last):
    if seen := result["idle"].get(last):
        workers, took = seen.get("workers", 1), seen.get("came_in_seconds")
        over_workers = f" over {workers} workers" if workers > 1 else ""
        within = f", and all are in after {took:.0f} s" if took else ""
        yield (f"Each of {seen['connections']:,} idle connections to {last}{over_workers} takes "
               f"{seen['bytes_each'] / 1024:.2f} KiB of memory{within}.", "at most 2.5 KiB")
        yield (f"Beside them it makes {seen['beside_over_alone']:.2f} of its requests/s without "
               "them.", "at least 0.9")


def forks(result):
    for name, seen in result["forks"].items():
        yield (f"{name} serves {seen['over_bare_loop']:.2f} times the connections/s that a bare "
               "loop of fork, _exit and wait comes to.", "at least 0.8")


def of(result, name, mode, what):
    return result["servers"].get(name, {}).get(mode, {}).get(what)


def over(one, other):
    return one / other if one and other else None
