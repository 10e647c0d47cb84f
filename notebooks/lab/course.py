"""You are here: a strip of small drawings, one for each chapter: the server as it is after it.

    python -m lab.course

draws notebooks/pictures/you_are_here_*.png, and puts a line with its picture under the title of
each chapter, and one with the pages to keep under the last. What is there already is renewed; the
outputs stay as they are.
"""

import re
from collections import namedtuple
from math import cos, pi, sin

import nbformat
from matplotlib.patches import Circle, Polygon

from lab.book import CHAPTERS, chapters
from lab.pictures import (
    BLUE,
    GREY,
    INK,
    LIGHT_BLUE,
    LIGHT_ORANGE,
    MUTED,
    ORANGE,
    PAPER,
    VERMILION,
    WIDTH,
    _box,
    _sheet,
    _text,
)

FOLDER = CHAPTERS / "pictures"
DEPTH = 1.16  # inches, the height of the strip
SIZE = 7.8  # points, of the word under a drawing
GREEN = "#009e73"
LINE = re.compile(r"^!\[.*\]\(pictures/you_are_here_\w+\.png\)\n*", re.MULTILINE)
PAGES = ("Pages to keep: [the words](words.md) of the course, each in a sentence; states, calls "
         "and commands, [to print](to_print.html) on a sheet of paper; and where to "
         "[read on](read_on.md).")

Step = namedtuple("Step", "word draw adds")  # under the drawing, the drawing, and for who sees none


def strip(here):
    """The strip of the chapter `here`, such as "3_2_fork": what was done plain, what comes faint.

    Returns a lab.pictures.Picture. Raises KeyError if no chapter has that name.
    """
    number, width = [*STEPS].index(here), WIDTH / len(STEPS)
    figure, axes = _sheet()
    figure.set_size_inches(WIDTH, DEPTH)
    axes.set(xlim=(0, WIDTH), ylim=(DEPTH, 0))
    for place, (name, step) in enumerate(STEPS.items()):
        centre = width * (place + 0.5)
        if place == number:
            _box(axes, centre - width / 2 + 0.02, 0.03, width - 0.04, DEPTH - 0.06, "#fff6dd",
                 ec=ORANGE, lw=2.2, zorder=-1)
        step.draw(axes, centre, 0.4)
        weight = "bold" if place == number else "normal"
        _text(axes, centre, 0.84, digits(name).replace("_", "."), weight="bold")
        _text(axes, centre, 1.02, step.word, SIZE, weight=weight)
        if place > number:
            _box(axes, width * place, 0, width, DEPTH, PAPER, ec="none", alpha=0.68, zorder=9)
    return figure


def digits(chapter):
    """The number of a chapter, as its file has it: 3_2 of 3_2_fork."""
    return re.match(r"\d+(_\d+)?", chapter)[0]


# What stands in the drawings: a server is a blue box, a client an orange dot, an application green.

def server(axes, x, y, width=0.24, height=0.24, **look):
    _box(axes, x - width / 2, y - height / 2, width, height, LIGHT_BLUE,
         **{"corner": 0.03, "ec": INK, "lw": 1.1, **look})


def client(axes, x, y, radius=0.065):
    axes.add_patch(Circle((x, y), radius, fc=ORANGE, ec=INK, lw=0.9, zorder=3))


def application(axes, x, y, corners=3, size=0.085):
    """A polygon; one with many corners is a circle."""
    points = [(x + size * sin(2 * pi * corner / corners), y - size * cos(2 * pi * corner / corners))
              for corner in range(corners)]
    axes.add_patch(Polygon(points, fc=GREEN, ec=INK, lw=0.8, zorder=3))


def line(axes, *points, color=INK, **look):
    axes.plot(*zip(*points, strict=True), **{"color": color, "lw": 1.3, "zorder": 0, **look})


def loop(axes, x, y, radius):
    """An arrow that goes round, clockwise."""
    angles = [-pi / 2 + 0.6 + step * (2 * pi - 1.1) / 30 for step in range(31)]
    points = [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]
    line(axes, *points[:-2], color=BLUE, lw=1.6, zorder=4)
    axes.annotate("", points[-1], points[-4], zorder=4, arrowprops={
        "arrowstyle": "-|>", "color": BLUE, "lw": 1.2, "shrinkA": 0, "shrinkB": 0,
        "mutation_scale": 7})


# The server after each chapter, drawn around (x, y), in inches.

def hello(axes, x, y):
    line(axes, (x - 0.24, y), (x + 0.2, y))
    client(axes, x - 0.24, y)
    server(axes, x + 0.17, y)


def wsgi(axes, x, y):
    line(axes, (x - 0.28, y), (x - 0.06, y))
    client(axes, x - 0.28, y)
    for down, corners in ((-0.22, 3), (0, 4), (0.22, 40)):
        line(axes, (x - 0.06, y), (x + 0.26, y + down))
        application(axes, x + 0.26, y + down, corners)
    server(axes, x - 0.03, y)


def queue(axes, x, y):
    line(axes, (x, y), (x + 0.2, y))
    for number in range(4):
        client(axes, x - 0.33 + 0.13 * number, y, 0.058)
    server(axes, x + 0.24, y)


def family(axes, x, y, beside=client):
    """A server on top and two children under it; what each child has beside it is drawn lower."""
    for side in (-0.19, 0.19):
        line(axes, (x, y - 0.2), (x + side, y + 0.04), (x + side, y + 0.25))
        server(axes, x + side, y + 0.03, 0.2, 0.18)
        beside(axes, x + side, y + 0.25)
    server(axes, x, y - 0.2, 0.24, 0.2)


def fork(axes, x, y):
    family(axes, x, y)


def descriptors(axes, x, y):
    for number in range(4):
        _box(axes, x - 0.3, y - 0.26 + 0.13 * number, 0.3, 0.13, LIGHT_BLUE, 0, ec=INK, lw=0.9)
        _text(axes, x - 0.15, y - 0.19 + 0.13 * number, str(number), 7)
    line(axes, (x, y + 0.07), (x + 0.24, y - 0.1))
    client(axes, x + 0.26, y - 0.12)
    for slope in (-0.06, 0.06):
        line(axes, (x + 0.06, y + 0.2 - slope), (x + 0.18, y + 0.2 + slope), color=VERMILION, lw=2)


def zombies(axes, x, y):
    for side in (-0.24, 0, 0.24):
        line(axes, (x, y - 0.2), (x + side, y + 0.16))
        server(axes, x + side, y + 0.16, 0.19, 0.19)
        _box(axes, x + side - 0.095, y + 0.065, 0.19, 0.19, GREY, 0.03, ec=MUTED, lw=1, ls="--")
        _text(axes, x + side, y + 0.165, "Z", 8, weight="bold")
    server(axes, x, y - 0.2, 0.24, 0.2)


def signals(axes, x, y):
    _box(axes, x - 0.31, y + 0.06, 0.2, 0.2, GREY, 0.03, ec=MUTED, lw=1, ls="--")
    flash = [(-0.1, 0.16), (0.03, 0.1), (-0.02, 0.02), (0.1, -0.05)]
    line(axes, *[(x + right, y + down) for right, down in flash], color=VERMILION, lw=1.8)
    axes.annotate("", (x + 0.13, y - 0.07), (x + 0.05, y - 0.02), arrowprops={
        "arrowstyle": "-|>", "color": VERMILION, "lw": 1, "shrinkA": 0, "shrinkB": 0,
        "mutation_scale": 9})
    server(axes, x + 0.2, y - 0.16, 0.26, 0.22)


def halves(axes, x, y):
    family(axes, x, y, application)


def past_fork(axes, x, y):
    """On the left threads in one process, in the middle workers, on the right a loop."""
    server(axes, x - 0.26, y, 0.22, 0.5)
    for side in (-0.32, -0.26, -0.2):
        wave = [(x + side + 0.018 * sin(step / 1.6), y - 0.17 + step * 0.017)
                for step in range(21)]
        line(axes, *wave, color=BLUE, lw=1.2, zorder=4)
    for down in (-0.18, 0, 0.18):
        server(axes, x, y + down, 0.15, 0.14)
    server(axes, x + 0.26, y, 0.24, 0.5)
    loop(axes, x + 0.26, y, 0.075)


def whole(axes, x, y):
    for side in (-0.19, 0.19):
        line(axes, (x, y - 0.22), (x + side, y + 0.03))
        for apart in (-0.1, 0, 0.1):
            line(axes, (x + side, y), (x + side + apart, y + 0.28), lw=0.9)
            client(axes, x + side + apart, y + 0.28, 0.042)
        server(axes, x + side, y + 0.02, 0.25, 0.24)
        loop(axes, x + side, y + 0.02, 0.065)
    server(axes, x, y - 0.25, 0.2, 0.14)


def production(axes, x, y):
    for down in (-0.19, 0, 0.19):
        line(axes, (x - 0.3, y + down), (x - 0.06, y + down))
        client(axes, x - 0.3, y + down, 0.055)
    for down in (-0.15, 0.15):
        line(axes, (x - 0.04, y), (x + 0.24, y + down))
        server(axes, x + 0.25, y + down, 0.2, 0.2)
    _box(axes, x - 0.11, y - 0.28, 0.12, 0.56, LIGHT_ORANGE, 0.03, ec=INK, lw=1.1)


STEPS = {
    "1_hello": Step("hello", hello, "a server, and a client that asks it"),
    "2_wsgi": Step("WSGI", wsgi, "applications, any of which fits behind the same server"),
    "3_1_one_at_a_time": Step("queue", queue, "the queue of those who wait for one server"),
    "3_2_fork": Step("fork", fork, "a child process for each client"),
    "3_3_descriptors": Step("descriptors", descriptors,
                            "the table of descriptors, and the one that has to be closed"),
    "3_4_zombies": Step("zombies", zombies, "the children that have ended and are still listed"),
    "3_5_signals": Step("signals", signals,
                        "the signal by which the parent hears of a child's end"),
    "3_6_concurrent_wsgi": Step("both", halves, "applications behind the server that forks"),
    "3_7_past_fork": Step("past fork", past_fork,
                          "threads, workers and an event loop in the place of the fork"),
    "3_8_a_server_to_use": Step("the whole", whole,
                                "the whole: a master over workers, an event loop in each"),
    "4_in_production": Step("in use", production,
                            "nginx in front of it, and more than one machine behind that"),
}


# The chapters: the line under the title of each, and the one under the last.

def title(notebook):
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ")


def picture_line(chapter, notebook):
    """What shows the strip in a chapter; it says where one is to those who do not see it, too."""
    return (f"![You are here: {title(notebook)}. A strip of {len(STEPS)} small drawings, the "
            f"server after each chapter; this one adds {STEPS[chapter].adds}.]"
            f"(pictures/you_are_here_{digits(chapter)}.png)")


def mark(chapter, notebook):
    """Put the chapter's strip under its title, or renew it."""
    first = notebook.cells[0]
    heading, _, rest = LINE.sub("", first.source).partition("\n")
    first.source = "\n\n".join([heading, picture_line(chapter, notebook), rest.lstrip("\n")])


def name_the_pages(notebook):
    """Put the pages to keep at the end of the last chapter, or renew that."""
    last = notebook.cells[-1]
    kept = [text for text in last.source.split("\n\n") if "](words.md)" not in text]
    last.source = "\n\n".join([*kept, PAGES])


def main():
    FOLDER.mkdir(exist_ok=True)
    for path in chapters():
        notebook = nbformat.read(path, as_version=4)
        (FOLDER / f"you_are_here_{digits(path.stem)}.png").write_bytes(strip(path.stem).png())
        mark(path.stem, notebook)
        if path == chapters()[-1]:
            name_the_pages(notebook)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
