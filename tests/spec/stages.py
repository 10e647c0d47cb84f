"""The one table of the project: what each stage is, and what it does wrong on purpose.

A stage has every property but the faults that stand with it here. A fault's text is a regular
expression: what a check reports when it meets the fault. `python -m tests.spec.stages` prints the
tables of the README.
"""

import ast
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

PROPERTIES = {  # in the order of the table's columns
    "accepts": "takes a client in",
    "reads": "reads what the client asks",
    "answers": "answers as HTTP has it",
    "goes_on": "serves the next client, and the one after it",
    "ends_the_connection": "ends the connection",
    "survives_silent_client": "survives a client that leaves without a word",
    "survives_garbled_client": "survives a client that sends nonsense",
    "survives_vanishing_client": "survives a client that leaves in the middle",
    "serves_while_another_waits": "serves a second client while the first is asleep",
    "keeps_descriptor_count": "keeps its descriptor count",
    "lives_on_256_descriptors": "lives through 300 clients on 256 descriptors",
    "leaves_no_zombie_after_one": "leaves no zombie after one client",
    "leaves_no_zombie_after_128": "leaves no zombie after 128 at once",
    "lives_through_signal": "lives through a signal in accept",
    "lives_without_processes": "lives when it can have no more processes",
    "runs_wsgi": "runs a WSGI application",
    "complete_pep3333": "complete PEP 3333",
    "keeps_alive": "keep-alive",
    "holds_5000_idle": "holds 5,000 idle connections",
}

LESSONS = {  # what only the stages are asked for that name it
    "queues_five": "five clients queue while one is served",
    "sleeps_after_answer": "keeps a connection open for DELAY seconds after its answer",
    "a_process_for_each": "a process for each connection",
    "gives_the_port_back": "gives its port back when it is killed, whoever is still served",
    "answers_bursts": "answers five clients at once, again and again",
    "sleeps_side_by_side": "two sleeps take as long as one",
    "reaps_when_told": "waits for a child when the child has ended",
    "forks_for_clients_only": "forks when a client has come, and not when a signal has",
    "sleeps_until_told": "sleeps until SIGCHLD says that a child has ended",
    "waits_for_the_dead_only": "serves on when one child has ended and another has not",
    "no_process_for_each": "no process for a connection",
    "a_thread_for_each": "a thread for each connection",
    "serves_beside_forty": "serves a client while forty others are silent",
    "threads_end": "its threads end with their clients",
    "workers_in_advance": "has its processes before the first client comes",
    "replaces_a_worker": "replaces each worker that was killed",
    "ends_its_children": "takes its children with it when it stops",
    "sends_long_answers": "sends a long answer to its end, though its client reads slowly",
}

FOR_APPLICATIONS = {  # what every WSGI stage is asked for, in the order in which one builds it
    "calls_it_anew": "calls the application anew for each request",
    "passes_the_head_on": "sends the status and the headers that the application gives",
    "sends_every_block": "sends every block of the body",
    "waits_for_start_response": "waits for the status until the application has given it",
    "says_what_was_asked": "tells the application the method and the path of its request",
    "makes_environ_anew": "makes an environ of its own for each request",
    "fills_environ": "leaves nothing out of environ that PEP 3333 requires",
    "outlives_its_application": "goes on when the application fails",
    "sends_it_all": "sends a large answer whole to a client that reads slowly",
}

SHOWN = {  # the faults that are a lesson, in words
    "serves_while_another_waits": "a second client waits while the first is silent",
    "ends_the_connection": "a client never sees the end of its connection",
    "keeps_descriptor_count": "a client leaves a descriptor open behind it",
    "lives_on_256_descriptors": "300 clients are too many for 256 descriptors",
    "leaves_no_zombie_after_one": "a client leaves a zombie behind",
    "leaves_no_zombie_after_128": "128 clients at once leave zombies behind",
    "lives_through_signal": "the signal of a child's end interrupts accept, and the server dies",
}

MANNERS = {  # what every stage is asked for, and has
    "starts": "starts, and listens where PORT and HOST say",
    "listens_on_host_only": "listens on HOST only, and lets nobody in from other machines",
    "idles": "takes no processor time while nobody asks",
    "stays": "is still there after a quiet while",
    "says_port_is_taken": "says that its port is taken, without a traceback",
    "starts_again": "starts again at once on the same port",
    "stops": "stops on Ctrl-C and on kill",
}


LEARNED = {  # the stage at which the words of a property mean something; before it nobody asks
    "keeps_descriptor_count": "3a",
    "lives_on_256_descriptors": "3a",
    "leaves_no_zombie_after_one": "3c",
    "leaves_no_zombie_after_128": "3c",
    "lives_without_processes": "3c",
    "lives_through_signal": "3e",
}


@dataclass(frozen=True)
class Stage:
    """One stage.

    changes   how many lines its diff to the parent may have: those that are added and those that
              are removed, docstrings and empty lines aside; where it joins another stage to
              its parent, how many lines it has that neither of the two has
    joins     the stage that it joins to its parent
    faults    properties it lacks, and what the check of each reports: a regular expression
    lessons   what it is asked for besides, by make check, as the names in LESSONS
    shows     those of its faults that are a lesson: make check asks for them as "show me"
    excuses   of the two above, what a server may miss and pass all the same, and why
    """

    name: str
    file: str
    idea: str
    parent: str | None = None
    changes: int = 0
    joins: str | None = None
    wsgi: bool = False
    claims: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    lessons: list[str] = field(default_factory=list)
    shows: list[str] = field(default_factory=list)
    excuses: dict[str, str] = field(default_factory=dict)

    @property
    def part(self):
        return self.file.partition("/")[0]

    @property
    def arguments(self):
        """What its command wants besides: an application, if it is a WSGI server."""
        return ["part2.wsgiapp:app"] if self.wsgi else []

    @property
    def has(self):
        """The properties that it has, in the order of the table."""
        return [name for name in PROPERTIES if name not in self.faults]

    @property
    def asked(self):
        """Those of the properties that it has and whose words its reader knows."""
        return [name for name in self.has
                if name not in LEARNED or ORDER.index(LEARNED[name]) <= ORDER.index(self.name)]

    def source(self):
        return (PROJECT / self.file).read_text()

    def docstring(self):
        return ast.get_docstring(ast.parse(self.source()))

    def code_lines(self):
        """The lines of its file without the docstrings and the empty lines."""
        prose = set()
        for node in ast.walk(ast.parse(self.source())):
            documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            if documented and ast.get_docstring(node):
                prose.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        return [line for number, line in enumerate(self.source().splitlines(), 1)
                if line.strip() and number not in prose]


WAITS = {"serves_while_another_waits": "got no answer", "holds_5000_idle": "got no answer"}
HELLO = {
    "runs_wsgi": "did not answer as the application does",
    "complete_pep3333": "did not answer as the application does",
    "keeps_alive": "closed the connection",
}
WSGI = {"complete_pep3333": "QUERY_STRING", "keeps_alive": "closed the connection"}
ONE_REQUEST = {"keeps_alive": WSGI["keeps_alive"]}
FORKS = {
    "lives_without_processes": "BlockingIOError: .Errno 11",
    "holds_5000_idle": "a process or a thread for each connection",
}
NEVER_REAPS = {
    "leaves_no_zombie_after_one": "1 zombie of 1",
    "leaves_no_zombie_after_128": "128 zombies of 128",
}
DIES_OF_EINTR = dict.fromkeys(
    ["survives_silent_client", "survives_garbled_client", "survives_vanishing_client",
     "keeps_descriptor_count", "lives_on_256_descriptors", "leaves_no_zombie_after_one",
     "leaves_no_zombie_after_128", "lives_through_signal"],
    "Interrupted system call|zombies of 128",
)
FORKING = ["a_process_for_each", "sleeps_side_by_side", "gives_the_port_back"]
REAPING = ["answers_bursts", "reaps_when_told", "forks_for_clients_only", "sleeps_until_told",
           "waits_for_the_dead_only"]
WORKERS = ["workers_in_advance", "replaces_a_worker", "ends_its_children"]
RESTARTS = ("Here accept goes on after a signal, by itself, as in Python since PEP 475, in Go, or "
            "with SA_RESTART. In C without it, the call fails with EINTR; our 3e shows it.")
UNSEEN = ("No thread that the kernel knows came with them. A language may have its own, such as "
          "Go's goroutines; in Python, C, Java or Ruby a thread is the kernel's.")

STAGES = {stage.name: stage for stage in [
    Stage("1", "part1/webserver1.py",
          "a server waits on a socket, reads a request, writes a response",
          claims=["1.1", "1.5"],
          faults=WAITS | HELLO),
    Stage("2", "part2/webserver2.py",
          "WSGI: one server for any framework",
          claims=["2.2", "2.5", "2.8", "2.9"],
          wsgi=True, faults=WAITS | WSGI),
    Stage("2b", "part2/webserver2b.py",
          "a complete environ: the query, the headers, %20",
          "2", 59, claims=["2.11"], wsgi=True,
          faults=WAITS | ONE_REQUEST | {"complete_pep3333": "It missed wsgi.input, write"}),
    Stage("2c", "part2/webserver2c.py",
          "a request has a body, which is read from a buffer",
          "2b", 82, claims=["2.12"], wsgi=True,
          faults=WAITS | ONE_REQUEST | {"complete_pep3333": "It missed write"}),
    Stage("2d", "part2/webserver2d.py",
          "a response goes out while the application still makes it",
          "2c", 70, claims=["2.13"], wsgi=True,
          faults=WAITS | ONE_REQUEST | {"complete_pep3333": "It missed close"}),
    Stage("2e", "part2/webserver2e.py",
          "what goes wrong in the middle, and what is over: the rest of PEP 3333",
          "2d", 60, claims=["2.14"], wsgi=True, faults=WAITS | ONE_REQUEST),
    Stage("2f", "part2/webserver2f.py",
          "where a body ends: its length; HEAD, 204 and 304 have none",
          "2e", 41, claims=["2.15"], wsgi=True, faults=WAITS | ONE_REQUEST),
    Stage("2g", "part2/webserver2g.py",
          "a body of any size: it comes in chunks, and goes to a file",
          "2f", 64, claims=["2.16"], wsgi=True, faults=WAITS | ONE_REQUEST),
    Stage("2h", "part2/webserver2h.py",
          "a head is taken by its grammar",
          "2g", 72, claims=["2.17"], wsgi=True, faults=WAITS | ONE_REQUEST),
    Stage("2i", "part2/webserver2i.py",
          "nothing can be read in two ways, and nothing is without a limit",
          "2h", 58, claims=["2.18"], wsgi=True, faults=WAITS | ONE_REQUEST),
    Stage("2j", "part2/webserver2j.py",
          "a client has so much time, and no more: the complete server",
          "2i", 25, claims=["2.19"], wsgi=True, faults=WAITS | ONE_REQUEST),
    Stage("3a", "part3/webserver3a.py",
          "one client at a time, the others queue",
          "1", 2, claims=["3.1", "3.7"], faults=WAITS | HELLO,
          lessons=["queues_five"], shows=["serves_while_another_waits"]),
    Stage("3b", "part3/webserver3b.py",
          "it sleeps after each answer, so that one sees them queue",
          "3a", 5, claims=["3.2", "3.7"], faults=WAITS | HELLO,
          lessons=["queues_five", "sleeps_after_answer"], shows=["serves_while_another_waits"]),
    Stage("3c", "part3/webserver3c.py",
          "fork: a process for each connection",
          "3b", 10, claims=["3.8", "3.9", "3.10", "3.13", "3.17"],
          faults=HELLO | FORKS | NEVER_REAPS, lessons=FORKING,
          shows=list(NEVER_REAPS)),
    Stage("3d", "part3/webserver3d.py",
          "a fault: the parent keeps its copy of each connection",
          "3c", 5, claims=["3.11", "3.12", "3.13", "3.15"],
          faults=HELLO | FORKS | NEVER_REAPS | {
              "ends_the_connection": "still open",
              "keeps_alive": "got no answer",
              "keeps_descriptor_count": "20 clients later",
              "lives_on_256_descriptors": "(?i)too many open files",
          }, lessons=FORKING,
          shows=["ends_the_connection", "keeps_descriptor_count", "lives_on_256_descriptors"]),
    Stage("3e", "part3/webserver3e.py",
          "a SIGCHLD handler reaps; the signal interrupts accept (EINTR)",
          "3c", 15, claims=["3.18", "3.19", "3.21"], faults=HELLO | FORKS | DIES_OF_EINTR,
          lessons=[*FORKING, "reaps_when_told", "sleeps_until_told"],
          shows=["lives_through_signal", "leaves_no_zombie_after_128"],
          excuses={"lives_through_signal": RESTARTS}),
    Stage("3f", "part3/webserver3f.py",
          "it restarts the interrupted accept",
          "3e", 5, claims=["3.20", "3.21"],
          faults=HELLO | FORKS | {"leaves_no_zombie_after_128": "127 zombies of 128"},
          lessons=[*FORKING, *REAPING], shows=["leaves_no_zombie_after_128"]),
    Stage("3g", "part3/webserver3g.py",
          "it reaps until there is none left: no zombie stays",
          "3f", 10, claims=["3.22", "3.24"], faults=HELLO | FORKS, lessons=[*FORKING, *REAPING]),
    Stage("3h", "part3/webserver3h.py",
          "the WSGI server with the fork and the reaper of 3g; it loses no client when it stops",
          "2", 48, "3g", claims=["3.25"], wsgi=True,
          faults=WSGI | {"holds_5000_idle": FORKS["holds_5000_idle"]},
          lessons=["a_process_for_each", "gives_the_port_back", *REAPING, "ends_its_children"]),
    Stage("3i", "part3/webserver3i.py",
          "a thread for each connection, instead of a process",
          "3c", 13, claims=["3.26"],
          faults=HELLO | FORKS | {"lives_without_processes": "can't start new thread"},
          lessons=["a_thread_for_each", "no_process_for_each", "sleeps_side_by_side",
                   "serves_beside_forty", "threads_end", "answers_bursts"],
          excuses={"a_thread_for_each": UNSEEN}),
    Stage("3j", "part3/webserver3j.py",
          "workers forked in advance; a dead one is replaced",
          "3c", 46, claims=["3.27"],
          faults=HELLO | {"holds_5000_idle": WAITS["holds_5000_idle"]},
          lessons=["workers_in_advance", "replaces_a_worker", "sleeps_side_by_side",
                   "ends_its_children", "answers_bursts"]),
    Stage("3k", "part3/webserver3k.py",
          "one process, one event loop: no client holds up another",
          "3a", 20, claims=["3.28"], faults=HELLO, lessons=["answers_bursts"]),
    Stage("3l", "part3/webserver3l.py",
          "a connection is a generator: where it would have to wait, it yields",
          "3k", 41, claims=["3.29"], faults=HELLO,
          lessons=["answers_bursts", "sends_long_answers"]),
    Stage("3m", "part3/webserver3m.py",
          "the WSGI server in the loop: 2i with yield from where it waited",
          "2i", 67, "3l", claims=["3.30"], wsgi=True, faults=ONE_REQUEST),
    Stage("3n", "part3/webserver3n.py",
          "a connection stays open for the next request",
          "3m", 52, claims=["3.31"], wsgi=True),
    Stage("3o", "part3/webserver3o.py",
          "every wait has an end, and who finds a full house waits outside",
          "3n", 79, claims=["3.32"], wsgi=True),
    Stage("3p", "part3/webserver3p.py",
          "workers under a master, an event loop in each",
          "3o", 71, claims=["3.33"], wsgi=True, lessons=WORKERS),
    Stage("3q", "part3/webserver3q.py",
          "to stop is not to cut off: what is in flight is finished",
          "3p", 64, claims=["3.34"], wsgi=True, lessons=WORKERS),
    Stage("3r", "part3/webserver3r.py",
          "a worker counts when it serves",
          "3q", 80, claims=["3.35"], wsgi=True, lessons=WORKERS),
    Stage("3s", "part3/webserver3s.py",
          "a worker that cannot serve is found out: who fails waits, who hangs is replaced",
          "3r", 35, claims=["3.35"], wsgi=True, lessons=WORKERS),
    Stage("3t", "part3/webserver3t.py",
          "new code without a pause: workers are replaced one by one",
          "3s", 57, claims=["3.36"], wsgi=True, lessons=WORKERS),
    Stage("3u", "part3/webserver3u.py",
          "options, and a word for each that makes no sense",
          "3t", 73, claims=["3.37"], wsgi=True, lessons=WORKERS),
    Stage("3v", "part3/webserver3v.py",
          "where it listens: a unix socket, IPv6, or a socket that somebody hands to it",
          "3u", 90, claims=["3.37"], wsgi=True, lessons=WORKERS),
    Stage("3w", "part3/webserver3w.py",
          "a line for each request, when it is over",
          "3v", 26, claims=["3.37"], wsgi=True, lessons=WORKERS),
    Stage("3x", "part3/webserver3x.py",
          "threads for applications that block; the loop keeps the sockets",
          "3w", 89, claims=["3.38"], wsgi=True, lessons=WORKERS),
    Stage("3y", "part3/webserver3y.py",
          "fewer system calls: the kernel is not asked what one knows",
          "3x", 86, claims=["3.39"], wsgi=True, lessons=WORKERS),
    Stage("3z", "part3/webserver3z.py",
          "nothing is worked out twice: the server to use",
          "3y", 80, claims=["3.39"], wsgi=True, lessons=WORKERS),
]}


TRACKS = {  # nobody needs a later one to follow an earlier one
    "The series": ["1", "2", "3a", "3b", "3c", "3d", "3e", "3f", "3g", "3h"],
    "The complete server": ["2b", "2c", "2d", "2e", "2f", "2g", "2h", "2i", "2j"],
    "Other models": ["3i", "3j", "3k"],
    "The server to use": ["3l", "3m", "3n", "3o", "3p", "3q", "3r", "3s", "3t", "3u", "3v", "3w",
                          "3x", "3y", "3z"],
}

ORDER = [name for names in TRACKS.values() for name in names]  # one track after the other
TRACK_OF = {name: track for track, names in TRACKS.items() for name in names}


STEPS = {  # what one sees of a step; tests/spec/steps.py has the checks
    "2b": "environ has the query, each header, and a blank where the target has %20",
    "2c": "the application reads the body of a request, in however many pieces it comes",
    "2d": "the first block arrives while the application still makes the others; so does write()",
    "2e": "close() is called, a late failure ends the body, and the Date is true",
    "2f": "a response says its length, and HEAD gets no body",
    "2g": "3 MB come in chunks, and who asks whether to send its body is told so",
    "2h": "`Bad Name: 1` is refused, and a target may name the host",
    "2i": "a length and chunks at once are refused, a header cannot split the response, and an "
          "answer arrives in spite of unread data",
    "2j": "a silent client is given up after TIMEOUT, and half a head gets 408",
    "3l": "a request may come in pieces, and while one client reads 14 MB slowly, others are "
          "served",
    "3m": "the same with any WSGI application",
    "3n": "two requests on one connection, and blocks that go out in chunks",
    "3o": "a silent client is given up, and of 128 clients on 64 descriptors none is lost",
    "3p": "a killed worker is replaced, and when the master is killed its workers leave",
    "3q": "after SIGTERM an answer on its way comes to its end, and the exit status is 0",
    "3r": "the successor of a killed worker has new code; what cannot be loaded is said once",
    "3s": "where each start fails, the pauses between the tries grow, also where no process is to "
          "be had; who hangs for HANG_TIMEOUT seconds says where, and is replaced",
    "3t": "after SIGHUP all workers are new, and no client was refused",
    "3u": "--help, --bind, and a line on what makes no sense",
    "3v": "it serves on a unix socket, on [::1], and on a socket that it was handed",
    "3w": "a line for each request, those that were cut off as well",
    "3x": "with --threads a client is served while another's application sleeps",
    "3y": "three system calls a request on a kept connection",
    "3z": "the same head again takes fewer calls of functions than a new one",
}


ASKED_STEPS = {  # what make check asks for of these, of a stage and of all that come after it
    f"step_{name}": STEPS[name] for name in TRACKS["The complete server"]}


def ancestry(stage):
    """The stage, its parent, its parent's parent, and so on: all whose promises it keeps."""
    names = [stage.name]
    while STAGES[names[-1]].parent:
        names.append(STAGES[names[-1]].parent)
    return names


def steps_of(stage):
    """The names in ASKED_STEPS that a stage is asked for, the oldest first."""
    steps = [f"step_{name}" for name in reversed(ancestry(stage))]
    return [step for step in steps if step in ASKED_STEPS]


def table_of_ideas(track):
    """A table of what each stage of a track adds, and what shows it, as the README has it."""
    rows = [["stage", "builds on", "its idea", "what shows it"], ["---"] * 4]
    for name in TRACKS[track]:
        stage = STAGES[name]
        parents = " and ".join(filter(None, [stage.parent, stage.joins]))
        rows.append([f"[{name}]({stage.file})", parents, stage.idea, STEPS.get(name, "")])
    columns = 4 if is_stairs(track) else 3
    return "\n".join(f"| {' | '.join(row[:columns])} |" for row in rows)


def is_stairs(track):
    """Whether each stage of it keeps what those before it promised, and promises more."""
    return set(TRACKS[track]) <= set(STEPS)


def table_of_properties(track):
    """What the stages of a track can do: what differs, and a sentence on what all have."""
    names = TRACKS[track]
    all_have = [words for name, words in PROPERTIES.items()
                if not any(name in STAGES[stage].faults for stage in names)]
    none_has = [words for name, words in PROPERTIES.items()
                if all(name in STAGES[stage].faults for stage in names)]
    sentences = [f"All of them: {'; '.join(all_have)}."] * bool(all_have)
    if is_stairs(track):
        sentences += gained(names)
    sentences += [f"None of them: {'; '.join(none_has)}."] * bool(none_has)
    table = [] if is_stairs(track) else differences(names)
    return "\n".join([*table, *textwrap.wrap(" ".join(sentences), 100)])


def differences(names):
    """The lines of a table: the properties that some of these stages have and others have not."""
    lines = ["| | " + " | ".join(names) + " |", "| --- |" + " :-: |" * len(names)]
    for name, words in PROPERTIES.items():
        cells = ["**no**" if name in STAGES[stage].faults else "yes" for stage in names]
        if len(set(cells)) > 1:
            lines.append(f"| {words} | {' | '.join(cells)} |")
    return [*lines, ""]


def gained(names):
    """A sentence on each stage from which on there is what those before it lack."""
    since = {}
    for name, words in PROPERTIES.items():
        lacking = [stage for stage in names if name in STAGES[stage].faults]
        if 0 < len(lacking) < len(names):
            since.setdefault(names[len(lacking)], []).append(words)
    return [f"From {name} on: {'; '.join(since[name])}." for name in names if name in since]


def claims_of_tests():
    """The claims that tests are marked with."""
    return {claim for path in (PROJECT / "tests").rglob("test_*.py")
            for claim in re.findall(r'claim\("([\d.]+)"\)', path.read_text())}


if __name__ == "__main__":
    for title in TRACKS:
        print(f"### {title}", table_of_ideas(title), table_of_properties(title),
              sep="\n\n", end="\n\n")
