"""make watch: check again whenever a file is saved; on a terminal on one screen, with keys."""

import math
import os
import select
import signal
import sys
import termios
import tty
from pathlib import Path

import watchfiles
from rich.text import Text

import lab
from tests.grader import listing, printing, progress
from tests.grader.beginning import start, task
from tests.grader.checking import Server, check
from tests.grader.grading import grade, missing, passed, questions, to_hint_at
from tests.grader.languages import FOLDER
from tests.spec.stages import STAGES

KEYS = "n next stage    h hint    l list    q quit"
WAITING = "Waiting for a file to be saved."
CTRL_C, CTRL_Z, CTRL_BACKSLASH = "\x03", "\x1a", "\x1c"
LOCAL = 3  # where tcgetattr has the flags of a terminal that are about keys


def watch(stage, given):
    """Check, and again when something in my/ or a file of the command was saved; until q or
    Ctrl-C."""
    server = Server(stage, given)
    saved = changes(server)
    if (keys := Keys()).usable:
        Watch(stage, given, keys, saved).run()
        return
    while True:
        check(stage, Server(stage, given))
        print(f"{WAITING} Ctrl-C ends this.", flush=True)
        while not next(saved):
            pass


def changes(server):
    """Whether something was saved, ten times a second. From here on nothing is missed."""
    FOLDER.mkdir(exist_ok=True)
    files = [lab.PROJECT / word for word in server.command
             if (lab.PROJECT / word).is_file() and word != sys.executable]
    saved = watchfiles.watch(FOLDER, *{file.resolve().parent for file in files},
                             watch_filter=is_source, raise_interrupt=True, recursive=False,
                             yield_on_timeout=True, rust_timeout=100)
    next(saved)
    return saved


def is_source(change, path):
    """Whether a path is one that a reader saves; what make check builds has no suffix."""
    path = Path(path)
    built = path.parent == FOLDER and path.name.startswith("webserver") and not path.suffix
    return not (path.name.startswith(".") or "__pycache__" in path.parts or built)


class Keys:
    """The keys of a terminal, one by one and unseen, as long as a with block waits for them.

    Outside of the block the terminal is as it was, also while Ctrl-Z has stopped us. The keys of
    the signals come as keys, so that it is given back first. usable is False where there is no
    terminal.
    """

    def __init__(self):
        self.usable = sys.stdin.isatty() and sys.stdout.isatty() and in_front(sys.stdin)
        self.was_stopped = False
        signal.signal(signal.SIGCONT, self.went_on)

    def __enter__(self):
        self.before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin, termios.TCSANOW)
        mode = termios.tcgetattr(sys.stdin)
        mode[LOCAL] &= ~termios.ISIG
        termios.tcsetattr(sys.stdin, termios.TCSANOW, mode)
        return self

    def __exit__(self, *exception):
        termios.tcsetattr(sys.stdin, termios.TCSANOW, self.before)

    def went_on(self, signum, frame):
        self.was_stopped = True

    def pressed(self):
        """The key that was pressed, "q" if the terminal is gone, "" if there was none."""
        if not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        typed = os.read(sys.stdin.fileno(), 32).decode(errors="replace")
        return typed[0].lower() if typed else "q"


def in_front(terminal):
    """Whether we are what the terminal's user sees, and not in the background."""
    try:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


class Watch:
    """The screen of make watch: what it shows, and what the keys do."""

    def __init__(self, stage, given, keys, saved):
        self.stage, self.given, self.keys, self.saved = stage, given, keys, saved
        self.results, self.hinted = [], set()
        self.show, self.size = self.show_task, None

    def run(self):
        """Until q, or until the terminal is gone."""
        actions = {"n": self.go_on, "h": self.hint, "l": self.list, "saved": self.check,
                   "draw": self.draw_again, CTRL_Z: self.stop}
        self.check()
        while (event := self.next_event()) != "q":
            if event in (CTRL_C, CTRL_BACKSLASH):
                raise KeyboardInterrupt
            actions.get(event, self.report)()

    def next_event(self):
        """Wait for a key, or for "saved", or for "draw": the screen is another one."""
        with self.keys:
            while True:
                if next(self.saved):
                    return "saved"
                if key := self.keys.pressed():
                    return key
                if self.keys.was_stopped or os.get_terminal_size() != self.size:
                    self.keys.was_stopped = False
                    return "draw"

    def stop(self):
        """Ctrl-Z: stop, and make with us, until the shell says fg; then the screen is drawn."""
        os.killpg(os.getpgrp(), signal.SIGTSTP)

    def check(self):
        """Grade, show; go on to the next stage if this one is passed."""
        screen = printing.Screen()
        screen.console.clear()
        self.server = Server(self.stage, self.given)
        printing.head(screen, self.stage, self.server.shown)
        self.works, self.said = self.server.build()
        self.results = []
        if self.works:
            screen.say("  Asking ...")
            self.results = grade(self.stage, self.server.command)
            progress.remember(self.stage, self.results)
        self.report()
        if self.results and passed(self.results):
            self.go_on(f"Stage {self.stage.name} is passed.")

    def draw_again(self):
        self.draw(self.show)

    def report(self):
        self.draw(self.show_report)

    def list(self):
        self.draw(self.show_list)

    def hint(self):
        """Show a hint: the first one, or one more each time."""
        for question in to_hint_at(self.stage, self.results)[:1]:
            if question in self.hinted:
                progress.count_hint(question.name)
            self.hinted.add(question)
        self.draw(self.show_hint)

    def go_on(self, because=""):
        """Begin the next stage; a file of it that is there already is checked at once."""
        name = progress.next_stage(progress.load(), self.stage.name)
        self.because = because
        if name is None:
            self.draw(self.show_end)
            return
        self.stage, self.results, self.said = STAGES[name], [], ""
        key = progress.load()["language"] or "python"
        language = progress.language_of(progress.load())
        was_there = language.file(self.stage).exists()
        if not self.given:
            self.because = f"{because} {start(self.stage, key)}".strip()
        if was_there and not self.given:
            self.check()
        else:
            self.draw(self.show_task)

    def draw(self, show):
        """Clear the screen, and show as much of a text as fits above the line with the keys."""
        self.show, self.size = show, os.get_terminal_size()
        screen = printing.Screen()
        with screen.console.capture() as captured:
            first = show(screen) or 0
        room = self.size.lines - 3
        lines = fitting(captured.get().splitlines(), room, self.size.columns, first)
        screen.console.clear()
        print("\n".join(lines))
        screen.say("")
        screen.say((f"{WAITING}    " if self.size.columns > 79 else "", "dim"), (KEYS, "bold"))

    def show_report(self, screen):
        """The first failure with its evidence and a hint, then the others, then a count."""
        printing.head(screen, self.stage, self.server.shown)
        if not self.works:
            print_raw(screen, self.said)
            return
        if not self.results:
            self.show_task(screen)
            return
        bad = [result for result in self.results if not result.good]
        good, count = len(self.results) - len(bad), len(questions(self.stage))
        screen.say((f"  {good} of {count} are well.", "bold"),
                   " The others are asked when this is mended." * (len(self.results) < count))
        first = missing(self.results)[0] if bad else None
        for result in sorted(bad, key=lambda result: result.question != first):
            screen.say("  ", printing.MARKS[result.verdict], f" {printing.words(result)}")
            if result.question == first:
                printing.evidence(screen, self.stage, result, self.server.shown)
        print_raw(screen, self.said)

    def show_hint(self, screen):
        printing.head(screen, self.stage, self.server.shown)
        bad = to_hint_at(self.stage, self.results)
        if not bad:
            screen.say("Nothing is missing that was asked for: there is nothing to hint at.")
            return
        printing.hint(screen, bad[0], progress.load()["hints"].get(bad[0].name, 1))

    def show_list(self, screen):
        return listing.show(screen, progress.load())

    def show_task(self, screen):
        screen.tell("", self.because)
        screen.say((f"Stage {self.stage.name}", "bold"), f": {self.stage.idea}")
        screen.say("")
        language = progress.language_of(progress.load())
        screen.tell("", task(self.stage, language))

    def show_end(self, screen):
        screen.tell("", self.because)
        screen.say("No other stage is left to be passed. make list shows them all.")


def print_raw(screen, text):
    """What a compiler said, as it said it."""
    for line in text.splitlines():
        screen.console.print(Text(line))


def fitting(lines, room, columns, middle):
    """Those of the lines that fit into so many rows, from the first one on or, if that is below
    them, around the middle one."""
    if middle > room - 2:
        lines = lines[max(0, min(middle - room // 2, len(lines) - room)):]
    rows, kept = 0, []
    for line in lines:
        rows += max(1, math.ceil(Text.from_ansi(line).cell_len / columns))
        if rows > room:
            return [*kept[:-1], "..."]
        kept.append(line)
    return kept
