"""Does a chapter show what is committed of it? But for what no two runs have in common.

Two runs give other PIDs, ports, times and versions to the same finding. These are masked, wherever
what stands around them says what they are. All other numbers are findings, and stay: how many were
answered, with which status, how many zombies are left.

In a cell that is tagged `noisy` the figures themselves are measured, or are those of this machine,
or two things race. There it is compared what is said, without all its numbers, each thing once,
whichever came first. The outcome of a guess and a picture that is missing are found even there.
"""

import re
from difflib import unified_diff

MASKS = [  # a pattern, and what stands in its place
    (r"\x1b\[[\d;]*m", ""),  # colours
    (r"\b\w{3}, \d\d \w{3} 20\d\d [\d:]{8} GMT|\b20\d\d-\d\d-\d\d\b", "DATE"),  # 1970 is a finding
    (r"\b0x[0-9a-f]+", "ADDRESS"),
    (r"/tmp/#\d+|/tmp/tmp\w+", "FILE"),
    (r"\bsocket:\[\d+\]", "socket:[INODE]"),
    (r"\b198\.1[89]\.\d+\.\d+", "MACHINE"),  # one of lab.production.machines
    (r"\bpython3(\.\d+)?\b", "python"),  # by whichever of its names it was started
    (r"(?i)((?:\b|_)p?pids?\b( of the \w+ was)?[\s=:]*)(?!0\b)\d+(,? \d+)*", r"\1PID"),
    (r"(?i)\b((child|worker|process|one process:|parent is) )(?!0\b)\d+", r"\1PID"),
    (r"(\bkill -\w+ |\bfork returned |\bwait4\(.*\) += )(?!0\b)\d+", r"\1PID"),
    (r"PID, (init|a subreaper)\b", "PID, init"),  # whoever adopts the orphans of this system
    (r"\b(?!HTTP/)(\w+/)\d+(\.\d+)+", r"\1VERSION"),
    (r"\b(eyJ[\w-]+)\.[\w-]+\.[\w-]+", r"\1.SIGNATURE"),  # of a cookie; it is made with the time
    (r"\b\d+\.\d+ s\b|\b[\d.]+ ?(ms|µs|milliseconds|sec|min)\b", "TIME"),
    (r"\bconnected after TIME, ", ""),  # said by a picture only where it is long enough to be seen
    (r"\bFIN([-_])WAIT\1?[12]\b", "FIN_WAIT"),  # 2 as soon as the other side has confirmed it
    (r"(\bSigIgn:\s+)\w+", r"\1INHERITED"),
    (r"^([a-z])[rwx-]{9}$", r"\1UMASK"),
    (r"\b[1-9]\d{4,}\b", "NUMBER"),  # a port, a PID, an inode: what is counted has commas
]
COLUMNS = {"PID", "PPID", "LWP"}  # of the tables of ps
TIMELINE = re.compile(r"\b((?:[A-Z][a-z]+|\d+) clients)\. (.+: .+)\.$")
FIGURE = re.compile(r"-?\b\d+(,\d{3})*(\.\d+)?|\b(NUMBER|PID|TIME|unlimited)\b|\([\w ]+ here\)")
LOST = re.compile(r"(\[Errno \d+\] )?(Connection (reset by peer|refused)|Broken pipe)"
                  r"|the server closed a connection without an answer")
LACKS = re.compile(r"\bnot installed here|\bThis system (does not|has no)|\bThere is no \w+ here"
                   r"|\bmay not look at|\bOnly root\b|\bnot to be seen here")
OWN = re.compile(r"^There is no my/\w+", re.MULTILINE)


def differences(committed, fresh):
    """A text for each cell of a chapter that shows something else now, with the lines that differ.

    committed, fresh   the cells of two runs

    Cells are left out which say now that this system lacks what they need, and those that have
    found a server of the reader's own in my/.
    """
    found = []
    for before, after in zip(committed, fresh, strict=True):
        if is_of_this_place(before, after):
            continue
        compared = shape if "noisy" in before.metadata.get("tags", []) else shown
        lines = list(unified_diff(compared(before), compared(after), "committed", "fresh", n=0,
                                  lineterm=""))
        found += ["\n".join([before.source, *lines])] if lines else []
    return found


def is_of_this_place(before, after):
    before, after = "\n".join(lines_of(before)), "\n".join(lines_of(after))
    lacks = LACKS.search(after) and not LACKS.search(before)
    own = OWN.search(before) and after and not OWN.search(after)
    return lacks or own


def shown(cell):
    """The lines that a cell shows, without what each run names anew."""
    found = without_columns(lines_of(cell))
    for pattern, instead in MASKS:
        found = [re.sub(pattern, instead, line) for line in found]
    return [" ".join(alike(line).split()) for line in found]


def shape(cell):
    """What a cell says, without any figure: each thing once, in the order of the alphabet."""
    said = set()
    for line in shown(cell):
        if line.startswith("Seen:"):
            said.add(line)
        else:
            said.update(FIGURE.sub("N", LOST.sub("lost", line)).rstrip(".").split("; "))
    return sorted(said)


def alike(line):
    """The words of a timeline; those clients as one who fared alike, whatever times they had."""
    timeline = TIMELINE.search(line)
    fates = {one.rpartition(": ")[2] for one in timeline[2].split("; ")} if timeline else []
    if len(fates) != 1:
        return line
    return f"{line[:timeline.end(1)]}, each of them: {fates.pop()}."


def lines_of(cell):
    """All lines of a cell's outputs. What is no text, such as a picture, is there by its kind."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts = [output.get("text", ""), *output.get("traceback", [])]
        texts += [data[kind] if kind.startswith("text/") else kind for kind in sorted(data)]
        found += [line for text in texts for line in text.splitlines()]
    return found


def without_columns(lines):
    """The lines with other words in those columns of a table of ps that name processes."""
    head, found = [], []
    for line in lines:
        words = line.split()
        if COLUMNS & set(words):
            head = words
        elif len(words) >= len(head) and words[:1] and words[0].isdecimal():
            words[:len(head)] = [name if name in COLUMNS else word
                                 for name, word in zip(head, words, strict=False)]
        else:
            head = []
        found.append(" ".join(words))
    return found
