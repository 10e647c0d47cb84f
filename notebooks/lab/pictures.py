"""Pictures of what the instruments saw. Each takes plain data and returns a Picture.

    timeline            a bar for each client: when it was connected, was answered, saw the end
    process_tree        a server and its children, with their states
    pending_bits        children that have ended, and the bits that the kernel keeps of it
    interrupted_call    a signal breaks into accept; a drawing of what never moves
    descriptor_tables   the descriptors of processes, and the sockets in the kernel they name
    listening_queue     clients outside, waiting in the kernel's queue, and accepted
    socket_pair         one connection, and what each of its ends says of it
    over_time           a count that changes, such as that of the zombies during a storm
    curves              what depends on a number, such as memory on that of the clients
    bars                figures side by side, such as the requests/s of servers
    dots                figures of very different size, each ten times the one before
    who_wakes           which of some workers woke up for each client
    stations            who stands between a client and an application

A Picture is a matplotlib Figure that shows itself as PNG where it is a notebook cell's value, and
says in words what it shows, for those who cannot see it.
"""

import io
from base64 import b64encode
from collections import Counter, namedtuple
from html import escape
from itertools import cycle, pairwise, product
from pathlib import PurePath

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from lab import in_words
from lab.kernel import CannotSee, children, pending_signals, process, zombies

Tree = namedtuple("Tree", "root children")
Socket = namedtuple("Socket", "target name colour holders ends")  # ends: where its lines begin

WIDTH, DPI = 9, 120  # inches, and pixels an inch, of every picture
TINY, SMALL, NORMAL, LARGE = 8.5, 10, 11, 13.5  # points
INK, MUTED, FAINT, WASH, PAPER = "#222222", "#666666", "#d0d0d0", "#f1f1ee", "#ffffff"
BLUE, ORANGE, VERMILION = "#0072b2", "#e69f00", "#d55e00"  # from Okabe and Ito
COLOURS = [BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", VERMILION]
LIGHT_ORANGE, LIGHT_BLUE, DARK_RED, GREY = "#f6d289", "#cfe4f2", "#a04000", "#e4e4e4"
DASHES = (0, (3, 2))
LINES = ["-", (0, (4, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5))]  # of charts
ARROW_HEAD = [(0, -1), (0.9, 0), (0, 1)]

PHASES = [("waits to connect", PAPER, "....."),  # name, fill, hatch
          ("connected, waits for the answer", LIGHT_ORANGE, "////"),
          ("has the answer, still connected", BLUE, "")]
FILLS = [(BLUE, ""), (LIGHT_ORANGE, "////"), (PAPER, ".....")]  # of bars, with their hatches
DOT_LOOKS = [(BLUE, "o", 11), (ORANGE, "D", 6.5), (PAPER, "s", 8.5)]  # colours, marks, sizes
GAVE_UP = ["gave up, not connected", "gave up, no answer", "gave up, no end"]
STATES = {"running": "#b8e2d5", "sleeping": LIGHT_BLUE, "stopped": "#faf3b4"}  # others: GREY
STREAMS = ["standard input", "standard output", "standard error"]
CELLS = 132  # processes in a tree; what is more is a number, here and below
ROWS = 9  # of a descriptor table
DOTS, COLUMNS = 36, 6  # clients in an area of the listening queue
TABLE, LEFT_EDGES, ROW = 2.7, (0.1, 6.2), 0.37  # inches: a descriptor table's width, places, rows


class Picture(Figure):
    """A Figure that a notebook shows once, and that gives the same bytes for the same data.

    alt   what it shows, in words; the title first, if it has one
    """

    alt = ""

    def say(self, title, words):
        """Set what the picture says in words; the picture."""
        stop = "" if title and title[-1] in ".?!" else "."
        self.alt = f"{title}{stop} {words}".strip() if title else words
        return self

    def png(self):
        """The picture as PNG, opaque, without a version or a date in it."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=DPI, facecolor=PAPER, metadata={"Software": None})
        return file.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        """PNG, with its alternative text as nbconvert and other readers of a notebook's file look
        for it; and HTML, for JupyterLab shows such a text in HTML only."""
        png = b64encode(self.png()).decode()
        html = f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{png}">'
        return ({"image/png": png, "text/html": html, "text/plain": self.alt},
                {"image/png": {"alt": self.alt}})


def timeline(answers, labels=None, title=None, seconds=None):
    """A bar for each lab.Answer, the first on top, in seconds since its client began to connect.

    answers   in the order to draw; sorted(answers, key=lambda answer: answer.end) is a staircase
    labels    a name for each bar, else "client 1" and so on
    seconds   where the axis ends; give the clients' timeout where some of them saw no end
    """
    endless = any(answer.end is None for answer in answers)
    moments = [moment * 1.03 for answer in answers
               for moment in (answer.connected, answer.first_byte, answer.end) if moment]
    seconds = seconds or max([1] * endless + moments, default=1)
    rows = max(2, len(answers))
    figure, axes = _chart(min(0.42 * rows, 7), title, left=1.2, right=2.35, key=0.3)
    seen = set()
    for row, answer in enumerate(answers):
        seen |= _bar(axes, row, answer, seconds, min(1, 16 / rows))
    names = list(labels or [f"client {number}" for number in range(1, len(answers) + 1)])
    every = 1 + len(answers) // 24
    axes.set_yticks(range(0, len(answers), every), names[::every])
    axes.tick_params(axis="y", length=0, pad=12)
    axes.spines["left"].set_visible(False)
    axes.set(xlim=(0, seconds), ylim=(rows - 0.4, -0.6), xlabel="seconds")
    key = [Patch(fc=fill, ec=INK, hatch=hatch, label=name) for name, fill, hatch in PHASES
           if name in seen]
    if any(answer.end is not None for answer in answers):
        key.append(Line2D([], [], marker="|", ls="", ms=13, mew=3, color=INK, label="the end"))
    _key(figure, axes, key)
    return figure.say(title, in_words.timeline(answers, names, seconds))


def _bar(axes, row, answer, seconds, scale):
    """One client's bar: its phases, and how it ended; the names of those that are wide enough to
    be seen. scale is below 1 where bars are thin."""
    moments = [moment for moment in (0, answer.connected, answer.first_byte) if moment is not None]
    last, fate, mark = _fate(answer, moments, seconds)
    seen = set()
    for (name, fill, hatch), start, stop in zip(PHASES, moments, [*moments[1:], last],
                                                strict=False):
        axes.barh(row, stop - start, left=start, height=0.62, fc=fill, ec=INK, hatch=hatch, lw=0.8)
        if stop - start > seconds / 100:
            seen.add(name)
    axes.plot([last], [row], color=INK, clip_on=False, **{**mark, "ms": mark["ms"] * scale})
    if scale > 0.5:
        axes.annotate(fate, (last, row), (17, 0), textcoords="offset points", size=NORMAL,
                      color=INK, va="center", weight="bold" if answer.end is None else "normal")
    return seen


def _fate(answer, moments, seconds):
    """Where a client's bar ends, what became of it in words, and the mark for that."""
    if answer.end is not None:
        return answer.end, f"{answer.end:.2f} s", {"marker": "|", "ms": 17, "mew": 3}
    if answer.error is None or isinstance(answer.error, TimeoutError):
        phase = len(moments) - 1
        fate = GAVE_UP[phase] if answer.error else "no end seen"
        return seconds, fate, {"marker": ARROW_HEAD, "ms": 24, "mew": 0.8, "mfc": PHASES[phase][1]}
    return (moments[-1], answer.error.strerror or str(answer.error),
            {"marker": "x", "ms": 9, "mew": 3})


def tree(pid):
    """What process_tree draws, seen now: (root, children), each a lab.Process. Root may be None."""
    return Tree(process(pid), children(pid))


def process_tree(seen, title=None, before=None):
    """A process and its children. `seen` is a PID, or a Tree that tree(pid) gave before.

    before   a Tree of an earlier moment: who was not there yet is marked as new
    """
    root, young = seen if isinstance(seen, Tree) else tree(seen)
    old = {one.pid for one in [before.root, *before.children] if one} if before else None
    figure, axes = _sheet()
    large = len(young) <= 4
    width, height, gap, top = (2.24, 1.2, 0.2, 1.55) if large else (0.8, 0.46, 0.08, 1.8)
    columns = len(young) if large else 11
    _member(axes, root, (WIDTH / 2 - 1.2, 0.1, 2.4, 1), True, old)
    if not large:
        _count(axes, young, old)
    for number, child in enumerate(young[:CELLS]):
        row, column = divmod(number, columns)
        x = WIDTH / 2 + (column - columns / 2) * width
        place = (x + gap / 2, top + row * height, width - gap, height - gap)
        _member(axes, child, place, large, old)
        if large:
            axes.plot([WIDTH / 2] * 2 + [x + width / 2] * 2, [1.1, 1.32, 1.32, top], color=MUTED,
                      lw=1.5)
    rows = -(-len(young[:CELLS]) // columns) if young else 0
    return _fit(figure, axes, top + rows * height if young else 1.2, title,
                in_words.process_tree(root, young, old))


def _count(axes, young, old):
    """How many children there are, by their states, between the parent and the small cells."""
    new = sum(child.pid not in old for child in young) if old is not None else 0
    marked = f", {new} new in thick frames" if new else ""
    hidden = f", the first {CELLS} drawn" if len(young) > CELLS else ""
    axes.plot([WIDTH / 2] * 2, [1.1, 1.4], color=MUTED, lw=1.5)
    words = f"{len(young)} children ({in_words.states(young)}){marked}{hidden}"
    _text(axes, WIDTH / 2, 1.58, words, weight="bold")


def _member(axes, process, place, large, old):
    """A cell of a tree, in a thick frame if its PID is not among the old ones."""
    _cell(axes, process, *place, large)
    if process and old is not None and process.pid not in old:
        x, y, width, _ = place
        _box(axes, *place, "none", ec=INK, lw=2.5, gid="new")
        if large:
            _text(axes, x + width - 0.27, y + 0.17, "new", SMALL, INK, weight="bold")


def _cell(axes, process, x, y, width, height, large):
    """One process: PID, state, and in a large cell the command. A zombie is empty and dashed."""
    state = process.state if process else "no such process"
    gone = process is None or state == "zombie"
    look = {"ls": DASHES, "lw": 1.6, "ec": VERMILION} if gone else {}
    _box(axes, x, y, width, height, PAPER if gone else STATES.get(state, GREY), **look)
    lines = [(f"PID {process.pid}" if large else process.pid, INK)] if process else []
    lines.append((state, DARK_RED if gone else INK))
    if process and large:
        lines.append((in_words.short(process.command), MUTED))
    for number, (text, colour) in enumerate(lines):
        _text(axes, x + width / 2, y + height * (number + 0.75) / (len(lines) + 0.5), text,
              NORMAL if large else TINY, colour, weight="bold" if number == 0 else "normal")


def pending_bits(seen, title=None):
    """Children that have ended, and the signals that wait for their parent: one bit for each kind.

    seen   the parent's PID, or (how many have ended, a set of numbers of signals); None instead of
           the set where the system does not tell
    """
    dead, pending = seen if isinstance(seen, tuple) else (len(zombies(seen)), _pending(seen))
    figure, axes = _sheet()
    rows = max(1, -(-min(dead, CELLS) // 16))
    depth = max(2.3, 0.75 + 0.24 * rows)
    _text(axes, 2.1, 0.3, f"{dead} children have ended", weight="bold")
    for number in range(min(dead, CELLS)):
        row, column = divmod(number, 16)
        _box(axes, 0.18 + 0.24 * column, 0.55 + 0.24 * row, 0.19, 0.19, PAPER, corner=0.03,
             ls=DASHES, lw=1.2, ec=VERMILION, gid="dead")
    axes.annotate("", (5.05, depth / 2), (4.15, depth / 2),
                  arrowprops={"arrowstyle": "-|>", "color": MUTED, "lw": 2})
    _text(axes, 4.6, depth / 2 - 0.22, "SIGCHLD", SMALL, MUTED)
    _text(axes, 7, 0.3, "what the kernel keeps for the parent", weight="bold")
    _bits(axes, depth / 2, pending)
    return _fit(figure, axes, depth, title, in_words.pending_bits(dead, pending))


def _bits(axes, y, pending):
    """A row of 31 places, one for each kind of signal, and the names of those that are pending."""
    for number in range(1, 32):
        is_set = number in (pending or ())
        _box(axes, 5.2 + 0.116 * (number - 1), y - 0.2, 0.105, 0.4, ORANGE if is_set else PAPER,
             corner=0.01, gid="set" if is_set else "bit")
    _text(axes, 7, y + 0.5, in_words.bits(pending))


def _pending(pid):
    """The set of a process's pending signals; None where the system does not tell."""
    try:
        return set(pending_signals(pid))
    except CannotSee:
        return None


def interrupted_call(title=None):
    """What happens when SIGCHLD comes while a program is asleep in accept, from left to right."""
    figure, axes = _sheet()
    for y, name in ((0.55, "the program"), (2.05, "the kernel")):
        _box(axes, 1.25, y - 0.5, 7.65, 1, WASH, ec=WASH, zorder=-2)
        _text(axes, 1.13, y, name, weight="bold", ha="right")
    for x, width, y, words, fill in (
            (1.4, 1.1, 0.55, "calls\naccept", LIGHT_BLUE),
            (2.0, 2.2, 2.05, "asleep in accept:\nno client comes", LIGHT_BLUE),
            (4.25, 1.5, 2.05, "a child ends:\nSIGCHLD", LIGHT_ORANGE),
            (4.5, 1.65, 0.55, "the handler runs", LIGHT_ORANGE),
            (5.85, 1.6, 2.05, "accept is over,\nwithout a client", LIGHT_BLUE),
            (7.1, 1.7, 0.55, "accept returns:\nerror EINTR", PAPER)):
        _box(axes, x, y - 0.35, width, 0.7, fill, gid="step")
        _text(axes, x + width / 2, y, words)
    for x, start, stop in ((2.25, 0.9, 1.7), (5.1, 1.7, 0.9), (6.0, 0.9, 1.7), (7.25, 1.7, 0.9)):
        axes.annotate("", (x, stop), (x, start),
                      arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.6})
    return _fit(figure, axes, 2.6, title, in_words.interrupted_call())


def descriptor_tables(tables, names=None, processes=None, title=None):
    """Descriptor tables, and between them, in the kernel, each socket that they name, once.

    tables      {pid: lab.descriptors(pid), ...}: the first on the left, the others on the right
    names       {inode: "listening socket", ...}; one that no table names any more is drawn too,
                dashed. The same names in the same order keep their colours through a series.
    processes   {pid: "parent", ...}
    """
    figure, axes = _sheet()
    sockets = _sockets(tables, names or {})
    bottoms = [0, 0]  # of what is drawn on the left, on the right
    for number, (pid, table) in enumerate(tables.items()):
        side = min(number, 1)
        heading = f"{(processes or {}).get(pid, 'process')}, PID {pid}"
        _box(axes, LEFT_EDGES[side], bottoms[side] + 0.08, TABLE, 0.5, GREY, ec=GREY)
        _text(axes, LEFT_EDGES[side] + TABLE / 2, bottoms[side] + 0.33, heading, LARGE,
              weight="bold")
        rows = _rows(table, tables)
        _entries(axes, side, bottoms[side] + 0.66, table, rows, sockets)
        bottoms[side] += 0.86 + ROW * len(rows)
    drawn = [socket for socket in sockets.values() if socket.ends or not socket.holders]
    depth = max(*bottoms, 0.5 + 1.25 * len(drawn))
    _kernel(axes, drawn, depth)
    return _fit(figure, axes, depth, title,
                in_words.descriptor_tables(sockets, tables, processes or {}))


def _sockets(tables, names):
    """{"socket:[8812]": Socket} for all that are named or held: named ones first, then by table."""
    held = Counter(target for table in tables.values() for target in table.values())
    named = {f"socket:[{inode}]": name for inode, name in names.items()}
    named.update({target: "socket" for target in held
                  if target.startswith("socket:") and target not in named})
    return {target: Socket(target, name, COLOURS[number % len(COLOURS)], held[target], [])
            for number, (target, name) in enumerate(named.items())}


def _rows(table, tables):
    """The descriptors to draw: free ones too if they fit, and None for those left out."""
    last = max(number for other in tables.values() for number in [*other, 0])
    if table and len(tables) < 3 and last < ROWS:
        return list(range(last + 1))
    rows = list(table) or [None]
    return rows if len(rows) <= ROWS else [*rows[:ROWS - 3], None, *rows[-2:]]


def _entries(axes, side, top, table, rows, sockets):
    """The rows of one table; each notes in its socket where the line begins."""
    for place, number in enumerate(rows):
        y = top + ROW * (place + 0.5)
        socket = sockets.get(table.get(number))
        if socket:
            socket.ends.append((side, y))
            _entry(axes, side, y, number, socket.name, INK, (socket.colour, 0.25))
        elif number is None:
            hidden = f"{len(table) - len(rows) + 1} more" if table else "holds no descriptor"
            _text(axes, LEFT_EDGES[side] + TABLE / 2, y, hidden, color=MUTED, style="italic")
        elif number not in table:
            _entry(axes, side, y, number, "free", MUTED, PAPER, ec=FAINT, ls=DASHES)
        else:
            name = PurePath(table[number]).name
            meaning = STREAMS[number] if number < 3 else in_words.cut(name, 22)
            _entry(axes, side, y, number, meaning, MUTED, PAPER)


def _entry(axes, side, y, number, meaning, colour, fill, **look):
    """One row; the number stands on the side of the kernel."""
    left = LEFT_EDGES[side]
    edge = left if side else left + TABLE - 0.5
    _box(axes, left, y - ROW / 2 + 0.02, TABLE, ROW - 0.04, PAPER, corner=0.01, **look)
    _box(axes, edge, y - ROW / 2 + 0.02, 0.5, ROW - 0.04, fill, corner=0.01, **look)
    _text(axes, edge + 0.25, y, number, color=colour, weight="bold" if colour == INK else "normal")
    _text(axes, left + (TABLE + (0.5 if side else -0.5)) / 2, y, meaning, SMALL, colour,
          style="italic" if meaning == "free" else "normal")


def _kernel(axes, sockets, depth):
    """The sockets, one below the other, each with a line from every entry that names it."""
    _box(axes, 3.4, 0.08, 2.2, depth - 0.16, WASH, ec=WASH, zorder=-2)
    _text(axes, WIDTH / 2, 0.3, "kernel", color=MUTED)
    space = (depth - 0.5) / max(1, len(sockets))
    for place, socket in enumerate(sockets):
        middle = 0.45 + space * (place + 0.5)
        for side, y in socket.ends:
            start, stop = ((2.8, 3.55), (6.2, 5.45))[side]
            bend = (start + stop) / 2
            curve = Path([(start, y), (bend, y), (bend, middle), (stop, middle)], [1, 4, 4, 4])
            axes.add_patch(PathPatch(curve, fill=False, ec=socket.colour, lw=2.5, zorder=-1,
                                     gid="line"))
            axes.add_patch(Circle((start, y), 0.06, color=socket.colour, zorder=3))
        look = {"ec": socket.colour} if socket.holders else {"ls": DASHES}
        _box(axes, 3.55, middle - 0.5, 1.9, 1, PAPER, lw=2.2, gid="socket", **look)
        _text(axes, WIDTH / 2, middle - 0.27, in_words.cut(socket.name, 21), weight="bold")
        _text(axes, WIDTH / 2, middle - 0.02, socket.target, SMALL, MUTED)
        holders = "1 holder" if socket.holders == 1 else f"{socket.holders} holders"
        _text(axes, WIDTH / 2, middle + 0.27, holders, LARGE, weight="bold")


def listening_queue(accepted, waiting, outside, backlog, title=None):
    """Where a server's clients are: three counts, and the length that listen was given.

    accepted   connections that the server has accepted
    waiting    finished connections in the kernel's queue (Linux holds up to backlog + 1)
    outside    clients that are not connected: they have sent SYN, and send it again
    """
    figure, axes = _sheet()
    places = max(backlog, waiting)
    most = max(accepted, places, outside, 1)
    depth = 1.1 + 0.4 * -(-min(DOTS, most) // COLUMNS) + 0.3 * (most > DOTS)
    beyond = f" and {waiting - backlog} more" if waiting > backlog else ""
    for x, count, slots, name, where, fill in (
            (0.1, outside, 0, "outside", "sent SYN, not connected", PAPER),
            (3.15, waiting, places, "waiting", f"in the kernel, backlog {backlog}{beyond}", ORANGE),
            (6.2, accepted, 0, "accepted", "held by the server", BLUE)):
        _box(axes, x, 0.08, TABLE, depth - 0.16, WASH if slots else PAPER, ec=FAINT)
        _text(axes, x + TABLE / 2, 0.36, f"{count} {name}", LARGE, weight="bold")
        _text(axes, x + TABLE / 2, 0.66, where, SMALL, MUTED)
        _dots(axes, x + 0.35, 1.08, count, slots, backlog, fill)
    _text(axes, 2.975, depth / 2, "→", 18, MUTED)
    _text(axes, 6.025, depth / 2, "→", 18, MUTED)
    return _fit(figure, axes, depth, title,
                in_words.listening_queue(accepted, waiting, outside, backlog))


def _dots(axes, left, top, count, slots, backlog, fill):
    """A dot for each client, and the queue's places, dashed where Linux adds one."""
    most = max(count, slots)
    for number in range(min(DOTS, most)):
        row, column = divmod(number, COLUMNS)
        x, y = left + 0.4 * column, top + 0.4 * row
        if number < slots:
            _box(axes, x - 0.18, y - 0.18, 0.36, 0.36, PAPER, corner=0.03, gid="place",
                 ls=DASHES if number >= backlog else "-")
        if number < count:
            axes.add_patch(Circle((x, y), 0.12, fc=fill, ec=INK, gid="client"))
    if most > DOTS:
        _text(axes, left + 1, y + 0.4, f"and {most - DOTS} more", SMALL, MUTED)


def socket_pair(client_side, server_side, title=None):
    """One connection seen from its two ends, each a lab.Connection.

    Raises ValueError if they are not the two ends of one connection.
    """
    if (client_side.local, client_side.foreign) != (server_side.foreign, server_side.local):
        raise ValueError(f"Not two ends of one connection: {client_side} and {server_side}.")
    figure, axes = _sheet()
    colours = {client_side.local: LIGHT_ORANGE, client_side.foreign: LIGHT_BLUE}
    for x, name, end in ((0.1, "client", client_side), (5.5, "server", server_side)):
        _box(axes, x, 0.1, 3.4, 2.1, PAPER)
        _text(axes, x + 1.7, 0.38, f"the {name}'s end", LARGE, weight="bold")
        for y, word, address in ((0.87, "local", end.local), (1.35, "foreign", end.foreign)):
            _text(axes, x + 0.92, y, word, color=MUTED, ha="right")
            _box(axes, x + 1.05, y - 0.2, 2.2, 0.4, colours[address])
            _text(axes, x + 2.15, y, f"{address[0]}:{address[1]}", weight="bold")
        held = f"socket:[{end.inode}]" if end.inode else "held by no process"
        _text(axes, x + 1.7, 1.88, f"{end.state}   {held}", SMALL, MUTED)
    axes.plot([3.5, 5.5], [1.11, 1.11], color=INK, lw=2.5, marker="o", ms=9)
    _text(axes, WIDTH / 2, 0.86, "one connection")
    _text(axes, WIDTH / 2, 1.5, "the same four values:\nlocal here is foreign there", SMALL, MUTED)
    return _fit(figure, axes, 2.3, title, in_words.socket_pair(client_side, server_side))


def over_time(series, ylabel, title=None):
    """Counts that change, as steps: {"3f": [(seconds, count), ...], "3g": [...]}."""
    figure, axes = _chart(3.2, title, left=0.85, right=1.4)
    ends = _lines_of(axes, series, drawstyle="steps-post")
    axes.set(xlabel="seconds", ylabel=ylabel, ylim=(0, max(1, axes.get_ylim()[1])))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _names(axes, ends)
    return figure.say(title, in_words.over_time(series, ylabel))


def curves(series, xlabel, ylabel, title=None, limit=None):
    """What depends on a number: {"3g": [(clients, megabytes), ...], "3k": [...]}.

    A point for each pair, and the last one's figure beside the name, where the curve ends.

    limit   (value, text): a dashed line that no curve gets across
    """
    figure, axes = _chart(3.2, title, left=0.85, right=1.4)
    ends = _lines_of(axes, series, with_points=True, gid="curve")
    if limit:
        axes.axhline(limit[0], color=VERMILION, lw=1.6, ls=DASHES, gid="limit")
        axes.annotate(limit[1], (0, limit[0]), (6, 5), xycoords=("axes fraction", "data"),
                      textcoords="offset points", size=NORMAL, color=DARK_RED, va="bottom")
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, axes.get_ylim()[1] or 1))
    _names(axes, ends)
    return figure.say(title, in_words.curves(series, xlabel, ylabel, limit))


def _lines_of(axes, series, with_points=False, **look):
    """A line for each of the series; [(x, y, "name: figure")] of their last points.

    Each has a mark and dashes of its own, so that one below another is seen, and in grey too.
    """
    ends = []
    for (name, points), colour, mark, dashes in zip(
            series.items(), cycle(COLOURS), cycle("oDs^v"), cycle(LINES), strict=False):
        if points:
            axes.plot(*zip(*points, strict=True), mark, color=colour, lw=2.4, ls=dashes, ms=7,
                      markevery=None if with_points else [-1], clip_on=False, **look)
            ends.append((*points[-1], f"{name}: {in_words.figure(points[-1][1])}"))
    axes.set_xlim(0, max([x for x, _, _ in ends], default=1) or 1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    return ends


def _names(axes, ends):
    """The names of lines: on the right edge, each clear of the one below, or where a line stops."""
    above, (_, right), (_, top) = 0, axes.get_xlim(), axes.get_ylim()
    look = {"textcoords": "offset points", "size": NORMAL, "color": INK, "weight": "bold"}
    for x, value, text in sorted(ends, key=lambda end: end[1]):
        if x > 0.95 * right:
            y = max(value, above)
            above = y + top * 0.08
            axes.annotate(text, (1, y), (10, 0), xycoords=("axes fraction", "data"), va="center",
                          **look)
        else:
            axes.annotate(text, (x, value), (6, -14 if value > top / 8 else 14), va="center",
                          **look)


def bars(series, xlabel, title=None):
    """Figures side by side: {"kept": {"3z": 100_000, "3g": None}, "anew": {"3z": 40_000, ...}}.

    Three series at most. The first name is on top, with a bar for each of its figures.
    """
    names = list(dict.fromkeys(name for figures in series.values() for name in figures))
    drawn = [(name, look, figures[name]) for name in names
             for look, figures in zip(FILLS, series.values(), strict=False)
             if figures.get(name) is not None]
    depth = len(drawn) + 0.45 * len(names)  # in bars: one each, and a space between two names
    figure, axes = _chart(max(1, 0.27 * depth), title, left=1.7, right=1.1,
                          key=0.3 * (len(series) > 1))
    rows = {name: [] for name, _, _ in drawn}
    for number, (name, (fill, hatch), value) in enumerate(drawn):
        rows[name].append(number + 0.45 * names.index(name))
        axes.barh(rows[name][-1], value, height=0.86, fc=fill, ec=INK, hatch=hatch, lw=0.8,
                  gid="bar", clip_on=False)
        axes.annotate(in_words.figure(value), (value, rows[name][-1]), (6, 0), size=NORMAL,
                      textcoords="offset points", color=INK, va="center")
    axes.set_yticks([sum(ys) / len(ys) for ys in rows.values()], list(rows))
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel=xlabel, xlim=(0, max([value for _, _, value in drawn], default=1)),
             ylim=(max(depth, 1) - 0.7, -0.7))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    if len(series) > 1:
        _key(figure, axes, [Patch(fc=fill, ec=INK, hatch=hatch, label=name)
                            for (fill, hatch), name in zip(FILLS, series, strict=False)])
    return figure.say(title, in_words.bars(series, xlabel))


def dots(series, xlabel, title=None):
    """Figures of very different size: {"kept": {"3z": 11, "waitress": None}, "anew": {...}}.

    A row for each name, the first on top, and a dot for each figure, on a scale on which each mark
    is ten times the one before.
    """
    names = list(dict.fromkeys(name for figures in series.values() for name in figures))
    figure, axes = _chart(max(1, 0.34 * len(names)), title, left=1.7, right=1.1,
                          key=0.3 * (len(series) > 1))
    axes.hlines(range(len(names)), 0, 1, transform=axes.get_yaxis_transform(), color=FAINT, lw=0.8)
    for (label, figures), look in zip(series.items(), DOT_LOOKS, strict=False):
        points = [(value, names.index(name)) for name, value in figures.items() if value]
        if points:
            _dotted(axes, points, look, label, with_figures=len(series) == 1)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel=xlabel, ylim=(max(len(names), 1) - 0.4, -0.6))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    if len(series) > 1:
        _key(figure, axes, axes.get_legend_handles_labels()[0])
    return figure.say(title, in_words.bars(series, xlabel))


def _dotted(axes, points, look, label, with_figures):
    """One series of dots, on a scale of powers of ten."""
    colour, mark, size = look
    axes.set_xscale("log")
    axes.plot(*zip(*points, strict=True), mark, color=colour, ms=size, mec=INK, label=label,
              clip_on=False, gid="dots")
    for value, row in points if with_figures else []:
        axes.annotate(in_words.figure(value), (value, row), (9, 0), textcoords="offset points",
                      size=NORMAL, color=INK, va="center")


def who_wakes(seen, title=None):
    """A row for each worker, a column for each client: a filled place where that worker woke up.

    seen   {"four in accept": [{2}, {0}, ...], ...}: for each client the numbers of those who woke
    """
    figure, axes = _sheet()
    workers = 1 + max((number for columns in seen.values() for woke in columns for number in woke),
                      default=0)
    top = 0
    for name, columns in seen.items():
        _text(axes, 0.1, top + 0.2, name, weight="bold", ha="left")
        for number in range(workers):
            y = top + 0.45 + 0.3 * number
            _text(axes, 1, y + 0.12, f"worker {number + 1}", SMALL, MUTED, ha="right")
            for client, woke in enumerate(columns):
                _box(axes, 1.15 + 0.36 * client, y, 0.3, 0.24, BLUE if number in woke else PAPER,
                     corner=0.03, ec=INK if number in woke else FAINT,
                     gid="woke" if number in woke else "slept")
        top += 0.7 + 0.3 * workers
    clients = max((len(columns) for columns in seen.values()), default=0)
    _text(axes, 1.15 + 0.18 * clients, top, f"{clients} clients, one after the other →", SMALL,
          MUTED)
    return _fit(figure, axes, top + 0.15, title, in_words.who_wakes(seen, workers))


def stations(columns, title=None):
    """Who stands between a client and an application, from left to right.

    columns   lists of texts, a box for each; the first line of a text is the name. Each box has a
              line to all the boxes of the next column.
    """
    figure, axes = _sheet()
    depth = 0.1 + 0.95 * max(map(len, columns))
    half = 0.38 * WIDTH / len(columns)
    places = [[(WIDTH * (number + 0.5) / len(columns), depth * (place + 0.5) / len(column))
               for place in range(len(column))] for number, column in enumerate(columns)]
    for before, after in pairwise(places):
        for (x, y), (next_x, next_y) in product(before, after):
            axes.plot([x + half, next_x - half], [y, next_y], color=MUTED, lw=1.6, zorder=-1,
                      gid="line")
    for number, column in enumerate(columns):
        for text, (x, y) in zip(column, places[number], strict=True):
            _box(axes, x - half, y - 0.38, 2 * half, 0.76, _station_fill(number, len(columns)))
            _lines(axes, x, y, text, NORMAL if len(columns) < 6 else SMALL)
    return _fit(figure, axes, depth, title, in_words.stations(columns))


def _station_fill(number, count):
    """Clients are white, and what answers them has a colour."""
    return PAPER if number == 0 else LIGHT_ORANGE if number < count - 1 else LIGHT_BLUE


def _lines(axes, x, y, text, size):
    """A name, and below it what it does, if that is said."""
    name, _, what = text.partition("\n")
    _text(axes, x, y - 0.14 * bool(what), name, size, weight="bold")
    _text(axes, x, y + 0.15, what, SMALL, MUTED)


def _key(figure, axes, handles):
    """What fills and marks stand for, above the axes."""
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, axes.get_position().y1),
                  ncols=4, frameon=False, fontsize=SMALL, handlelength=1.8, columnspacing=1.8)


def _chart(height, title, left, right, key=0):
    """A Picture with one pair of axes, `height` inches high; the margins in inches too."""
    below, total = 0.65, 0.85 + height + key + (0.35 if title else 0)
    figure = Picture(figsize=(WIDTH, total), facecolor=PAPER)
    axes = figure.add_axes((left / WIDTH, below / total, (WIDTH - left - right) / WIDTH,
                            height / total))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=NORMAL)
    axes.xaxis.label.set_size(NORMAL)
    axes.yaxis.label.set_size(NORMAL)
    figure.text(0.1 / WIDTH, 1 - 0.3 / total, title or "", size=LARGE, color=INK, weight="bold")
    return figure, axes


def _sheet():
    """A Picture to draw on in inches, from the top left corner downwards."""
    figure = Picture(facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    return figure, axes


def _fit(figure, axes, depth, title, words=""):
    """End a sheet `depth` inches down, put the title above, and say in words what it shows."""
    above = 0.5 if title else 0.1
    _text(axes, 0.1, -0.2, title or "", LARGE, weight="bold", ha="left")
    figure.set_size_inches(WIDTH, above + depth + 0.1)
    axes.set(xlim=(0, WIDTH), ylim=(depth + 0.1, -above))
    return figure.say(title, words)


def _text(axes, x, y, text, size=NORMAL, color=INK, ha="center", **look):
    axes.text(x, y, text, size=size, color=color, ha=ha, va="center", **look)


def _box(axes, x, y, width, height, fill, corner=0.07, **look):
    look = {"ec": MUTED, "lw": 0.9, "boxstyle": f"round,pad=0,rounding_size={corner}", **look}
    axes.add_patch(FancyBboxPatch((x, y), width, height, fc=fill, **look))
