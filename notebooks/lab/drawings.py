"""Drawings of what never moves. Each takes the words that it shows and returns a Picture.

    two_sockets   two programs, a socket of each, and the line between them
    url_parts     a URL, and what each of its parts picks
    messages      a request and a response, line by line, and what each part is called
    glue          what connects servers and applications: N x M pieces of work, or N + M
    lanes         what two programs say to each other, the first thing on top
"""

from itertools import groupby
from urllib.parse import urlsplit

from lab import in_words
from lab.pictures import (
    BLUE,
    FAINT,
    LARGE,
    LIGHT_BLUE,
    LIGHT_ORANGE,
    MUTED,
    NORMAL,
    ORANGE,
    PAPER,
    SMALL,
    WASH,
    WIDTH,
    _box,
    _fit,
    _sheet,
    _text,
)

MONO = {"family": "monospace"}
LETTER = 0.602 / 72  # inches that a letter of MONO is wide, for each point of its size
GREEN, STONE = "#b8e2d5", "#e4e4e4"
PARTS = {"request line": LIGHT_ORANGE, "status line": LIGHT_ORANGE, "headers": LIGHT_BLUE,
         "empty line": STONE, "body": GREEN}
PICKS = {"scheme": "the language", "host": "the machine", "port": "the program", "path": "the page"}
LINE = 0.3  # inches, the height of a line of a message


def two_sockets(client, server, port):
    """Two programs and the line between their sockets; the server has one more, that listens."""
    figure, axes = _sheet()
    for x, name, job in ((0.1, client, "client"), (5.5, server, "server")):
        _box(axes, x, 0.1, 3.4, 2.5, WASH, ec=FAINT)
        _text(axes, x + 1.7, 0.38, name, LARGE, weight="bold")
        _text(axes, x + 1.7, 0.65, f"the {job}", color=MUTED)
    for x, colour in ((2.05, LIGHT_ORANGE), (5.65, LIGHT_BLUE)):
        _box(axes, x, 0.92, 1.3, 0.75, colour)
        _text(axes, x + 0.65, 1.3, "a socket")
    _box(axes, 5.65, 1.85, 3.1, 0.6, PAPER)
    _text(axes, 7.2, 2.15, f"listening socket, port {port}")
    for y, start, stop, colour in ((1.15, 3.35, 5.65, ORANGE), (1.45, 5.65, 3.35, BLUE)):
        _arrow(axes, start, stop, y, colour)
    _text(axes, WIDTH / 2, 0.72, "the connection:", weight="bold")
    _text(axes, WIDTH / 2, 0.95, "one row of bytes each way", SMALL, MUTED)
    return _fit(figure, axes, 2.7, None, in_words.two_sockets(client, server, port))


def url_parts(url):
    """A URL, a bracket under each of its parts, and what that part picks."""
    figure, axes = _sheet()
    split, size = urlsplit(url), 22
    left, place = WIDTH / 2 - len(url) * LETTER * size / 2, 0
    _text(axes, left, 0.35, url, size, ha="left", **MONO)
    texts = [split.scheme, split.hostname, str(split.port), split.path]
    for (name, picks), text in zip(PICKS.items(), texts, strict=True):
        place = url.index(text, place)
        start, stop = (left + LETTER * size * (place + edge) for edge in (0.2, len(text) - 0.2))
        place += len(text)
        axes.plot([start, start, stop, stop], [0.62, 0.72, 0.72, 0.62], color=BLUE, lw=2.5)
        _text(axes, (start + stop) / 2, 0.95, name, LARGE, weight="bold")
        _text(axes, (start + stop) / 2, 1.22, picks, color=MUTED)
    parts = [(name, text, picks) for (name, picks), text in zip(PICKS.items(), texts, strict=True)]
    return _fit(figure, axes, 1.4, None, in_words.url_parts(url, parts))


def messages(request, response):
    """A request and a response, as bytes: their lines, and what each part is called."""
    figure, axes = _sheet()
    depths = [_message(axes, x, name, message) for x, name, message in
              ((0.1, "request", request), (4.6, "response", response))]
    named = [[(part, _written(line)) for part, line in _named(name, message)]
             for name, message in (("request", request), ("response", response))]
    return _fit(figure, axes, max(depths), None, in_words.messages(*named))


def _message(axes, x, name, message):
    """One message, in a column; how far down it goes, in inches."""
    _text(axes, x + 2.15, 0.2, f"the {name}", LARGE, weight="bold")
    y = 0.45
    for part, group in groupby(_named(name, message), key=lambda pair: pair[0]):
        lines = [line for _, line in group]
        _box(axes, x, y, 4.3, LINE * len(lines), PARTS[part], corner=0.02)
        _text(axes, x + 4.2, y + LINE * len(lines) / 2, part, SMALL, MUTED, ha="right")
        for number, line in enumerate(lines):
            _text(axes, x + 0.1, y + LINE * (number + 0.5), _written(line).replace("$", r"\$"),
                  SMALL, ha="left", **MONO)
        y += LINE * len(lines) + 0.05
    return y


def _written(line):
    """The bytes of a line as Python writes them: GET / HTTP/1.1\\r\\n"""
    return ascii(line.decode("latin-1"))[1:-1]


def _named(name, message):
    """(part, line) for each line of a message, a request or a response."""
    head, _, body = message.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    start = "request line" if name == "request" else "status line"
    return [(start, first + b"\r\n"), *[("headers", line + b"\r\n") for line in headers],
            ("empty line", b"\r\n"), *[("body", line) for line in body.splitlines(keepends=True)]]


def glue(servers, applications, between):
    """Two ways to connect servers and applications, each line a piece of work.

    between   the name of the interface that all of them know, on the right
    """
    figure, axes = _sheet()
    n, m = len(servers), len(applications)
    depth = 0.65 + 0.5 * max(n, m)
    for x, words in ((0.1, f"{n} × {m} = {n * m} pieces of work"),
                     (4.7, f"{n} + {m} = {n + m} pieces of work")):
        _text(axes, x + 2.1, 0.25, words, LARGE, weight="bold")
        places = [[(edge, _row(number, names, depth)) for number in range(len(names))]
                  for edge, names in ((x + 1.3, servers), (x + 2.9, applications))]
        _connect(axes, *places, None if x < 1 else (x + 2.1, _row(0, ["hub"], depth)))
        for left, names, colour in ((x, servers, LIGHT_BLUE), (x + 2.9, applications, GREEN)):
            for number, name in enumerate(names):
                y = _row(number, names, depth)
                _box(axes, left, y - 0.18, 1.3, 0.36, colour)
                _text(axes, left + 0.65, y, name)
    _box(axes, 6.4, _row(0, ["hub"], depth) - 0.25, 0.8, 0.5, LIGHT_ORANGE)
    _text(axes, 6.8, _row(0, ["hub"], depth), between, weight="bold")
    return _fit(figure, axes, depth, None, in_words.glue(servers, applications, between))


def _row(number, names, depth):
    """How far down the box of a name stands, in inches: all of them are spread alike."""
    return 0.55 + (depth - 0.6) * (number + 0.5) / len(names)


def _connect(axes, left, right, hub):
    """A line from each place on the left to each on the right, or to the hub from all of them."""
    pairs = [(one, hub) for one in [*left, *right]] if hub else [
        (one, other) for one in left for other in right]
    for one, other in pairs:
        axes.plot(*zip(one, other, strict=True), color=MUTED, lw=1.5, zorder=0, gid="work")


def lanes(left, right, steps):
    """What two programs say to each other, as arrows: [("→", "words"), ("←", "words"), ...]."""
    figure, axes = _sheet()
    depth = 0.75 + 0.55 * len(steps)
    for x, name, colour in ((1.4, left, LIGHT_BLUE), (7.6, right, GREEN)):
        axes.plot([x, x], [0.5, depth], color=FAINT, lw=3, zorder=0)
        _box(axes, x - 1.1, 0.08, 2.2, 0.46, colour)
        _text(axes, x, 0.31, name, LARGE, weight="bold")
    for number, (direction, words) in enumerate(steps):
        y = 1.05 + 0.55 * number
        start, stop, colour = (1.4, 7.6, BLUE) if direction == "→" else (7.6, 1.4, ORANGE)
        _arrow(axes, start, stop, y, colour)
        _text(axes, WIDTH / 2, y - 0.17, words, NORMAL, **MONO)
    return _fit(figure, axes, depth, None, in_words.lanes(left, right, steps))


def _arrow(axes, start, stop, y, colour):
    axes.annotate("", (stop, y), (start, y), gid="arrow",
                  arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0,
                              "shrinkB": 0, "mutation_scale": 16})
