"""Who is measured by bench.py: every stage of stages.py, and the servers that people use.

One process each, no access log, and the application part2.wsgiapp:app; the hello stages have
none. Who has threads stands here once for each number of them. The peers live in an environment
of their own: their tools and versions are not ours.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import lab
from tests.bench.load import last_line, run
from tests.spec.stages import SHOWN, STAGES

APPLICATION = "part2.wsgiapp:app"
APPLICATION_FILE = lab.PROJECT / "part2/wsgiapp.py"
SLEEPING = "tests.bench.sleeping:app"
STAGE_FILES = {stage.file for stage in STAGES.values()}
PEERS_FOLDER = lab.PROJECT / ".venv/peers"
LAST = list(STAGES)[-1]  # the server to use
COMPLETE = [name for name, stage in STAGES.items() if stage.part == "part2"][-1]
STEPS = ["2", COMPLETE, "3h", LAST]  # of those that run WSGI; the others if they are asked for
THREADED = f"{LAST}-threads"
THREADS = 4  # of the last stage, and of the peers that it is held against
FATAL = ["ends_the_connection", "lives_through_signal"]  # faults that leave nothing to measure
WSGIREF = """
import os
from wsgiref.simple_server import WSGIRequestHandler, make_server
from part2.wsgiapp import app
WSGIRequestHandler.log_message = lambda *arguments: None
make_server("127.0.0.1", int(os.environ["PORT"]), app).serve_forever()
"""
WAITRESS = """
import logging, os
import waitress
from part2.wsgiapp import app
logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # else a line for each that waits
waitress.serve(app, threads={threads}, listen="127.0.0.1:" + os.environ["PORT"])
"""
GTHREAD = ("gunicorn --workers=1 --worker-class=gthread --threads={threads} "
           "--bind=127.0.0.1:$PORT --no-control-socket --log-level=warning " + APPLICATION)
BJOERN = """
import os
import bjoern
from part2.wsgiapp import app
bjoern.run(app, "127.0.0.1", int(os.environ["PORT"]))
"""
C_TOOLS = "a C compiler and the headers of Python (Debian: gcc, python3-dev)"


class CannotInstall(Exception):
    """A peer cannot be installed; the message says why, in one sentence."""


@dataclass(frozen=True)
class Contender:
    """One server: its command, and why it is left out if it is.

    requirement   the package that it comes in, as pip wants it
    needs         what else must be there to install that
    """

    name: str
    command: list
    requirement: str = ""
    needs: str = ""
    left_out: str = ""

    def start(self, folder, *arguments):
        """A running lab.Server; raises ServerError if it does not come to listen.

        A peer is found in the environment in `folder`.
        """
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return lab.start([*self.command, *arguments], DELAY=0, WORKERS=1, PATH=path)

    def fingerprint(self):
        """A text that changes with the files that it runs, and with the package."""
        files = [lab.PROJECT / word for word in self.command if word in STAGE_FILES]
        told = [self.requirement, *self.command,
                *[file.read_text() for file in [*files, APPLICATION_FILE]]]
        return hashlib.sha256("\0".join(told).encode()).hexdigest()[:12]


def shell(line):
    """The command that runs a line of shell, which finds its port in PORT."""
    return ["sh", "-c", f"exec {line}"]


PEERS = [
    Contender("gunicorn-sync", shell("gunicorn --workers=1 --bind=127.0.0.1:$PORT "
                                     f"--no-control-socket --log-level=warning {APPLICATION}"),
              "gunicorn==27.0.1"),  # the version of requirements.txt
    *[Contender(f"gunicorn-gthread{mark}", shell(GTHREAD.format(threads=threads)),
                "gunicorn==27.0.1") for mark, threads in (("", 1), (f"-{THREADS}", THREADS))],
    *[Contender(f"waitress{mark}", ["python", "-c", WAITRESS.format(threads=threads)],
                "waitress==3.0.2")  # the version of requirements.txt
      for mark, threads in (("", THREADS), ("-1", 1))],  # four are its default
    Contender("cheroot",  # with one thread it is faster than with 4, 10 (its default), 20 or 64
              shell(f"python -m cheroot --threads=1 --bind=127.0.0.1:$PORT {APPLICATION}"),
              "cheroot==11.1.2"),  # the newest
    Contender("wsgiref", [sys.executable, "-c", WSGIREF]),
    Contender("bjoern", ["python", "-c", BJOERN],
              "bjoern==3.2.2",  # the newest
              f"{C_TOOLS}, and libev (libev-dev)"),
    Contender("uwsgi",  # its http-socket keeps no connection, but does not say so by itself
              shell("uwsgi --http-socket=127.0.0.1:$PORT --processes=1 --die-on-term "
                    "--disable-logging --add-header='Connection: close' --pythonpath=. "
                    f"--module={APPLICATION}"),
              "uwsgi==2.0.31",  # the newest
              C_TOOLS),
]


def contenders():
    """All of them, in the order of the table: {name: Contender}."""
    ours = [*map(of_stage, STAGES.values()), with_threads(STAGES[LAST])]
    return {contender.name: contender for contender in [*ours, *PEERS]}


def usual():
    """The names of those that are measured unless somebody asks for others."""
    return [name for name in contenders()
            if name not in STAGES or name in STEPS or not STAGES[name].wsgi]


def of_stage(stage):
    reasons = [f"On purpose: {SHOWN[fault]}." for fault in FATAL if fault in stage.faults]
    return Contender(stage.name, command(stage), left_out=reasons[0] if reasons else "")


def with_threads(stage, threads=THREADS, application=APPLICATION):
    """The same stage with a pool of threads, if it has one."""
    return Contender(f"{stage.name}-threads",
                     command(stage, "--threads", str(threads), application=application),
                     left_out="" if has(stage, "--threads") else f"{stage.name} has no --threads.")


def has(stage, option):
    return f'"{option}"' in stage.source()


def command(stage, *options, application=APPLICATION):
    """What starts a stage, with one worker where it has options; where not, WORKERS says so."""
    if has(stage, "--workers"):
        options = ["--workers", "1", "--quiet", *options]
    return [sys.executable, stage.file, *options, *[application] * stage.wsgi]


def leaves_zombies(name):
    """Whether so many of a server's children remain that its requests have to be counted."""
    return name in STAGES and "leaves_no_zombie_after_128" in STAGES[name].faults


def install(contender, folder):
    """Install a peer into the environment in `folder`, with uv where there is one, else with pip.

    Raises CannotInstall. Each peer is a step of its own: one that fails keeps no other away.
    """
    python = str(folder / "bin/python")
    if not Path(python).exists():
        must_run(["uv", "venv", "--quiet", "--python", sys.executable, str(folder)]
                 if shutil.which("uv") else [sys.executable, "-m", "venv", str(folder)])
    must_run([*(["uv", "pip", "install", "--python", python] if shutil.which("uv") else
                [python, "-m", "pip", "install", "--disable-pip-version-check"]),
              contender.requirement], contender.needs)


def is_installed(contender, folder):
    package, _, version = contender.requirement.partition("==")
    places = map(str, folder.glob("lib/python*/site-packages"))
    return not package or any(found.name.lower() == package and found.version == version
                              for found in distributions(path=list(places)))


def must_run(command, needs=""):
    """Run a command of an installer; raise CannotInstall, with its complaint, if it fails."""
    try:
        output, status = run(command, timeout=300)
    except subprocess.TimeoutExpired:
        raise CannotInstall("Its installation took more than 300 s.") from None
    if status:
        needed = f" It needs {needs}." if needs else ""
        raise CannotInstall(f"It cannot be installed: {complaint(output).rstrip('.')}.{needed}")


def complaint(output):
    """The line of an installer's output that says what is wrong: the compiler's before pip's."""
    for mark in ("fatal error: ", "ERROR: ", "error: "):
        for line in output.splitlines():
            if mark in line:
                return line.partition(mark)[2].strip()
    return last_line(output)
