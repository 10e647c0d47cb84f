"""Which calls a server and its client make, and when, as strace writes them down.

    tell_calls(command)            what strace says of a server that one client asks
    draw_calls(command, client)    the calls of a server and of a client, side by side in time

command is a server's, as lab.stage_command gives it; client is the text of a Python program, which
finds the port in PORT. Where there is no strace both say so instead.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

from lab.clients import ask
from lab.kernel import CannotSee, eventually
from lab.server import start

Call = namedtuple("Call", "name descriptor text start end result")  # times in seconds; end or None

TRACED = "socket,setsockopt,bind,listen,accept,accept4,connect,recvfrom,sendto,close"
STRACE = ["strace", "-ttt", "-T", "-s", "20", "-e", f"trace={TRACED}"]
NAMES = {"accept4": "accept", "recvfrom": "recv", "sendto": "send"}  # the kernel's, and Python's
LINE = re.compile(r"(?P<start>[\d.]+) (?P<name>\w+)\((?P<rest>.*)")
REST = re.compile(r"(?P<given>.*)\) += (?P<result>-?\d+).*<(?P<took>[\d.]+)>")
TOP, GAP, BOX, LANE = 0.75, 0.14, 0.32, 2.7  # inches: first row, between events, a box, its width
LEFT = {"client": 1.0, "server": 5.6}  # inches: where a lane begins


def need_strace():
    """Raise CannotSee if there is no strace, or if it may not look at other programs."""
    if not shutil.which("strace"):
        raise CannotSee("There is no strace here: it is a program of Linux, in a package strace.")
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True)
    if tried.returncode:
        raise CannotSee("strace may not look at other programs here.")


def server_lines(command, serve):
    """The lines that strace writes of a server, from its first socket on; serve(port) asks it.

    Raises CannotSee without strace.
    """
    need_strace()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        with start([*STRACE, "-o", str(trace), *command]) as server:
            serve(server.port)
            eventually(lambda: trace.read_text().count("accept") == 2, within=5)  # the next one
            return from_socket(trace.read_text())


def client_lines(program, port):
    """The lines that strace writes of a Python program that is given a port, from its socket on."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        subprocess.run([*STRACE, "-o", str(trace), sys.executable, "-c", program], timeout=30,
                       env={**os.environ, "PORT": str(port)}, stdout=subprocess.DEVNULL, check=True)
        return from_socket(trace.read_text())


def from_socket(text):
    """The lines of a trace from the first internet socket on: what is before is Python's start."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if "socket(AF_INET" in line)
    return lines[first:]


def calls(lines):
    """The Calls in some lines of strace, those about sockets alone; one that never ended, too."""
    found, sockets = [], set()
    for line in filter(None, map(LINE.fullmatch, lines)):
        call = read_call(line)
        if call.name in ("socket", "accept") and call.result is not None:
            sockets.add(call.result)
        if call.descriptor in sockets or call.name == "socket":
            found.append(call)
    return found


def read_call(line):
    """The Call that a line of strace, matched by LINE, tells of."""
    name, rest = NAMES.get(line["name"], line["name"]), REST.fullmatch(line["rest"])
    first, _, more = (rest["given"] if rest else line["rest"]).partition(", ")
    descriptor = int(first) if first.isdigit() else None
    result = int(rest["result"]) if rest else None
    begun = float(line["start"])
    end = begun + float(rest["took"]) if rest else None
    return Call(name, descriptor, words(name, first, more, result), begun, end, result)


def words(name, first, more, result):
    """A call in a few words, such as "accept(3) = 4": what it was given, and what it returned."""
    if name in ("bind", "connect"):
        port = re.search(r"htons\((\d+)\)", more)[1]
        return f"{name}({first}, port {port})"
    if name == "setsockopt":
        return f"{name}({first}, {more.split(', ')[1]})"
    given = {"socket": "", "listen": f"{first}, {more}"}.get(name, first)
    returned = {"socket": f" = {result}", "accept": f" = {result}",
                "recv": f" = {result} bytes", "send": f" = {result} bytes"}.get(name, "")
    return f"{name}({given}){returned if result is not None else ''}"


def tell_calls(command):
    """Print what strace says of a server that one client asks, or why it cannot be seen."""
    try:
        lines = server_lines(command, ask)
    except CannotSee as reason:
        print(reason)
        return
    for line in lines:
        said = re.sub(r" +<[\d.]+>$", "", line.partition(" ")[2])
        said = re.sub(r"\) {2,}= ", ") = ", said)  # strace lines up short ones
        print(said if len(said) < 92 else f"{said[:89]}...")


def draw_calls(command, client, title=None):
    """A picture of the calls of a server and a client; where they cannot be seen, the reason."""
    seen = {}
    try:
        seen["server"] = calls(server_lines(
            command, lambda port: seen.update(client=calls(client_lines(client, port)))))
    except CannotSee as reason:
        return reason
    return draw(seen["client"], seen["server"], title)


def draw(client, server, title=None):
    """Two lists of Calls as two lanes, with time running down; a Picture.

    It is drawn by the order of what happened, not by seconds. Where one side's call lets one of the
    other side return, there is an arrow. Who had called before that was asleep: it waits.
    """
    from lab.pictures import LARGE, MUTED, SMALL, _fit, _sheet, _text  # slow to import

    figure, axes = _sheet()
    places, depth = layout([*client, *server])
    pairs = causes(client, server)
    asleep = [effect for cause, effect in pairs if cause.start > effect.start]
    for name, lane in (("client", client), ("server", server)):
        _text(axes, LEFT[name] + LANE / 2, 0.4, f"the {name}'s calls", LARGE, weight="bold")
        for call in lane:
            _draw_call(axes, LEFT[name], call, places[call], call in asleep or call.end is None)
    for cause, effect in pairs:
        ends = (LEFT["client"] + LANE, LEFT["server"])
        across = ends if cause in client else ends[::-1]
        _draw_arrow(axes, across, places[cause][0] + 0.1, places[effect][1] - 0.06)
    axes.annotate("", (0.45, depth), (0.45, TOP), arrowprops={"arrowstyle": "-|>", "color": MUTED})
    _text(axes, 0.27, (TOP + depth) / 2, "time", SMALL, MUTED, rotation=90)
    return _fit(figure, axes, depth, title, in_words(client, server))


def in_words(client, server):
    """What the picture shows, for those who cannot see it."""
    woken_by = {effect: cause for cause, effect in causes(client, server)}
    said = []
    for call in sorted([*client, *server], key=lambda call: call.start):
        side, other = ("client", "server") if call in client else ("server", "client")
        cause = woken_by.get(call)
        because = f", which returns by the {other}'s {cause.text}" if cause else ""
        said.append(f"{side}: {call.text}{because}")
    return f"From top to bottom, {'; '.join(said)}."


def layout(every):
    """{call: (top, bottom), ...} in inches, by the order of what happened, and the depth of all."""
    events = sorted([(call.start, 1, call) for call in every]
                    + [(call.end, 0, call) for call in every if call.end is not None],
                    key=lambda event: event[:2])
    tops, places, y = {}, {}, TOP - GAP
    for _, begins, call in events:
        y = y + GAP if begins else max(y + GAP, tops[call] + BOX)
        if begins:
            tops[call] = y
        else:
            places[call] = tops[call], y
    last = max([y, *(top + BOX for top in tops.values())])
    return {**{call: (top, last) for call, top in tops.items()}, **places}, last


def causes(client, server):
    """(call, call of the other side that returns because of it), each for the first such call."""
    found, taken = [], set()
    for cause in sorted([*client, *server], key=lambda call: call.start):
        other = server if cause in client else client
        effect = next((call for call in other if call not in taken and follows(call, cause)), None)
        if effect:
            taken.add(effect)
            found.append((cause, effect))
    return found


def follows(call, cause):
    """Whether a call of the one side may have returned because of a call of the other."""
    if call.end is None or call.end < cause.start:
        return False
    return {"connect": call.name == "accept",
            "send": call.name == "recv" and bool(call.result),
            "close": call.name == "recv" and call.result == 0}.get(cause.name, False)


def _draw_call(axes, left, call, place, waits):
    """One call: a box from its start to its end, and what it was."""
    from lab.pictures import LIGHT_BLUE, LIGHT_ORANGE, MUTED, SMALL, _box, _text

    top, bottom = place
    _box(axes, left, top, LANE, bottom - top, LIGHT_ORANGE if waits else LIGHT_BLUE, gid="call")
    _text(axes, left + 0.12, top + BOX / 2, call.text, SMALL, ha="left", family="monospace")
    if waits:
        _text(axes, left + LANE - 0.12, bottom - 0.14, "waits", SMALL, MUTED, ha="right")


def _draw_arrow(axes, across, y, until):
    """From one lane to the other, with what has let a call return."""
    from lab.pictures import INK

    axes.annotate("", (across[1], max(until, y)), (across[0], y), gid="arrow",
                  arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.8, "shrinkA": 0,
                              "shrinkB": 0, "mutation_scale": 15})
