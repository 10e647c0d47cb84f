"""What each picture shows, in a sentence or two, from the data that it draws.

For those who cannot see it: it is the picture's alternative text, and what a terminal shows. The
functions are called as the pictures of lab.pictures and lab.drawings are; each returns a string.
"""

from collections import Counter
from pathlib import PurePath
from signal import Signals

NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
FEW = 12  # of what is said one by one; of what is more, the first and the last


def figure(value):
    """A figure as a reader wants it: 99,000 or 4.57."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def short(command):
    """What was started, without the interpreter and the folders: "webserver3c.py".

    What was given to it stands there too if there is room for all of it.
    """
    words = [PurePath(word).name or word for word in command.split()]
    scripts = [number for number, word in enumerate(words) if word.endswith(".py")]
    words = words[scripts[0]:] if scripts else words
    whole = " ".join(words)
    return whole if len(whole) <= 22 else cut(words[0], 22)


def cut(text, length):
    return text if len(text) <= length else text[:length - 1] + "…"


def begins(words):
    """The words as the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def many(count, noun, plural=None):
    """One client, four clients, 128 clients."""
    number = NUMBERS[count] if count < len(NUMBERS) else count
    return f"{number} {noun if count == 1 else plural or noun + 's'}"


def timeline(answers, names, seconds):
    said = begins(many(len(answers), "client"))
    fates = [fate(answer, seconds) for answer in answers]
    pairs = [f"{name}: {fate}" for name, fate in zip(names, fates, strict=False)]
    if not answers:
        return f"{said}."
    if len(answers) > 1 and len(set(fates)) == 1:
        return f"{said}, each of them: {fates[0]}."
    if len(answers) > FEW:
        return f"{said}. The first, {pairs[0]}; the last, {pairs[-1]}."
    return f"{said}. {'; '.join(pairs)}."


def fate(answer, seconds):
    """What became of one client: "answer after 0.0 s, end after 0.4 s".

    seconds   the length of the axis: a hundredth is said only where it can be seen
    """
    said, digits = [], 2 if seconds < 1 else 1
    if answer.connected and answer.connected > seconds / 100:
        said.append(f"connected after {answer.connected:.{digits}f} s")
    if answer.first_byte is not None:
        said.append(f"answer after {answer.first_byte:.{digits}f} s")
    if answer.end is not None:
        said.append(f"end after {answer.end:.{digits}f} s")
    elif isinstance(answer.error, TimeoutError):
        lacks = ("a connection" if answer.connected is None
                 else "an answer" if answer.first_byte is None else "an end")
        said.append(f"gave up after {seconds:.{digits}f} s without {lacks}")
    else:
        why = answer.error and (answer.error.strerror or str(answer.error))
        said.append(why or "no end seen")
    return ", ".join(said)


def process_tree(root, young, old):
    """old is the set of the PIDs of before; None if there is no before."""
    now = {one.pid for one in [root, *young] if one}
    said = f"{member(root, old)}: {many(len(young), 'child', 'children')}"
    if len(young) > FEW:
        new = sum(old is not None and child.pid not in old for child in young)
        said += f", {states(young)}" + (f"; {new} of them new" if new else "")
    elif young:
        said += f": {'; '.join(member(child, old) for child in young)}"
    gone = sorted((old or set()) - now)
    return f"{said}." + (f" No longer there: PID {', '.join(map(str, gone))}." if gone else "")


def member(process, old):
    """One of a tree: "PID 101, webserver3c.py, sleeping, new"."""
    if process is None:
        return "No such process"
    new = ["new"] if old is not None and process.pid not in old else []
    return ", ".join([f"PID {process.pid}", short(process.command), process.state, *new])


def states(processes):
    """How many there are of each state: "zombie: 90, sleeping: 38"."""
    counts = Counter(process.state for process in processes).most_common()
    return ", ".join(f"{state}: {count}" for state, count in counts)


def bits(pending):
    """Which signals are pending: "bits set: 17, SIGCHLD"."""
    if pending is None:
        return "this system does not show it"
    names = [f"{number}, {Signals(number).name}" for number in sorted(pending)]
    return f"bits set: {'; '.join(names) or 'none'}"


def pending_bits(dead, pending):
    ended = many(dead, "child that has ended", "children that have ended")
    return (f"{begins(ended)}, a square for each. What the kernel keeps of it for the parent is a "
            f"row of 31 bits, one for each kind of signal; {bits(pending)}.")


def interrupted_call():
    return ("The program calls accept and sleeps in the kernel; no client comes. A child ends, "
            "SIGCHLD. The program's handler runs. Then accept is over without a client, and "
            "returns to the program with the error EINTR.")


def descriptor_tables(sockets, tables, processes):
    said = []
    for pid, table in tables.items():
        held = {number: sockets[target].name for number, target in table.items()
                if target in sockets}
        names = (f"{len(held)} sockets" if len(held) > FEW else
                 ", ".join(f"{number} {name}" for number, name in held.items()) or "no socket")
        said.append(f"{begins(processes.get(pid, 'process'))}, PID {pid}, holds {names}.")
    holders = Counter(f"{socket.name}, {many(socket.holders, 'holder')}"
                      for socket in sockets.values())
    return " ".join([*said, f"In the kernel: {'; '.join(times(holders)) or 'no socket'}."])


def times(counts):
    """The texts of a Counter; with "2 times" before those that are there twice."""
    return [f"{count} times {text}" if count > 1 else text for text, count in counts.items()]


def listening_queue(accepted, waiting, outside, backlog):
    return (f"Accepted, held by the server: {many(accepted, 'client')}. Waiting in the kernel's "
            f"queue, with a backlog of {backlog}: {waiting}. Outside, not connected: {outside}.")


def socket_pair(client_side, server_side):
    said = []
    for name, end in (("client", client_side), ("server", server_side)):
        held = f"held as socket:[{end.inode}]" if end.inode else "held by no process"
        local, foreign = (":".join(map(str, address)) for address in (end.local, end.foreign))
        said.append(f"the {name}'s end: local {local}, foreign {foreign}, {end.state}, {held}")
    return f"One connection. {'. '.join(map(begins, said))}."


def over_time(series, ylabel):
    said = [f"{name}: {points[0][1]:,} at first, {max(count for _, count in points):,} at most, "
            f"{points[-1][1]:,} after {points[-1][0]:.2f} s"
            for name, points in series.items() if points]
    return f"{begins(ylabel)}, over time. {'; '.join(said) or 'Nothing was seen'}."


def curves(series, xlabel, ylabel, limit=None):
    said = [f"{name}: from {figure(points[0][1])} at {points[0][0]:,} to {figure(points[-1][1])} "
            f"at {points[-1][0]:,}" for name, points in series.items() if points]
    across = f" A dashed line, {limit[1]}." if limit else ""
    return f"{begins(ylabel)}, by {xlabel}. {'; '.join(said) or 'Nothing was seen'}.{across}"


def bars(series, xlabel):
    names = dict.fromkeys(name for figures in series.values() for name in figures)
    said = []
    for name in names:
        values = [figure(figures[name]) + (f" ({label})" if len(series) > 1 else "")
                  for label, figures in series.items() if figures.get(name) is not None]
        said.append(f"{name}: {', '.join(values) or 'nothing'}")
    return f"{begins(xlabel)}. {'; '.join(said) or 'Nothing was measured'}."


def who_wakes(seen, workers):
    said = []
    for name, columns in seen.items():
        counts = sorted(len(woke) for woke in columns) or [0]
        of = counts[0] if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
        every = set.intersection(*map(set, columns)) if columns else set()
        always = f", worker {min(every) + 1} always" if len(every) == 1 else ""
        said.append(f"{name}: {of} of {workers} for each client{always}")
    clients = many(max((len(columns) for columns in seen.values()), default=0), "client")
    woke = f"How many workers woke, {'; '.join(said)}" if said else "Nobody woke"
    return f"{begins(clients)}, one after the other. {woke}."


def stations(columns):
    said = []
    for column in columns:
        boxes = Counter(" (".join(text.split("\n")) + ")" * ("\n" in text) for text in column)
        said.append(" and ".join(times(boxes)))
    return f"From left to right, with lines from each to all of the next: {'; then '.join(said)}."


def two_sockets(client, server, port):
    return (f"Two programs. {client}, the client, has a socket; {server}, the server, has one too, "
            f"and a listening socket with port {port}. Between the two sockets is the connection: "
            "one row of bytes each way.")


def url_parts(url, parts):
    """parts   (name, text, what it picks) of each"""
    said = [f"{name} {text}, {picks}" for name, text, picks in parts]
    return f"The parts of {url}: {'; '.join(said)}."


def messages(request, response):
    """Each a list of (part, line as it is written)."""
    said = []
    for name, lines in (("request", request), ("response", response)):
        named = [f"{part} {line}" for part, line in lines]
        said.append(f"The {name}, line by line: {'; '.join(named)}.")
    return " ".join(said)


def glue(servers, applications, between):
    n, m = len(servers), len(applications)
    return (f"On the left, a line from each of {many(n, 'server')}, {', '.join(servers)}, to each "
            f"of {many(m, 'application')}, {', '.join(applications)}: {n * m} pieces of work. On "
            f"the right, one line from each of them to {between}: {n + m} pieces of work.")


def lanes(left, right, steps):
    ways = {"→": f"{left} to {right}", "←": f"{right} to {left}"}
    said = [f"{ways[direction]}: {words}" for direction, words in steps]
    return f"From top to bottom, {'; '.join(said)}."
