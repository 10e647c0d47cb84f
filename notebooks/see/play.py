"""What is to be started: a stage by its name, or a command of the reader's own."""

import math
import shlex
import sys

import lab
from lab.server import stage_file

LIMITS = {"files": 256, "processes": 400}
APPLICATION = "part2.wsgiapp:app"
LONGEST = 3600  # seconds of DELAY


class Refused(Exception):
    """Something that is not done; the message says why."""


class Play:
    """A server that can be started, once or several times.

    stage     its name; "" is the reader's own
    own       the reader's own command; None if he has none
    delay     DELAY in seconds, for those that have one
    limited   whether LIMITS bind it
    app       what a WSGI stage serves
    """

    def __init__(self, stage, own=None, delay=3, limited=False, app=APPLICATION):
        self.stage, self.own, self.limited, self.app = stage, own, limited, app
        self.wanted_delay = self.delay = seconds(delay)
        if not stage and not own:
            raise Refused("Which stage? And there is no server of your own: make see SERVER=...")
        if stage:
            self._prepare_stage()
        else:
            self.name, self.idea = "your server", ""
            self.command, self.words = shlex.split(own), own

    def _prepare_stage(self):
        if not isinstance(self.stage, str):
            raise Refused(f"A stage has a name, such as 3d, not {self.stage!r}.")
        try:
            path = stage_file(self.stage)
        except lab.ServerError as error:
            raise Refused(str(error)) from None
        source = path.read_text()
        self.name, self.idea = self.stage, source.removeprefix('"""').partition("\n")[0]
        if 'environ.get("DELAY")' not in source:
            self.delay = None
        arguments = [self.app] * ("WSGIServer: Serving" in source)
        self.command = [sys.executable, str(path), *arguments]
        self.words = shlex.join(["python", str(path.relative_to(lab.PROJECT)), *arguments])

    def but(self, **changes):
        """The same with some things changed."""
        now = {"stage": self.stage, "own": self.own, "delay": self.wanted_delay,
               "limited": self.limited, "app": self.app}
        return Play(**{**now, **changes})

    def settings(self):
        """What it finds in its environment, besides its port."""
        return {} if self.delay is None else {"DELAY": f"{self.delay:g}"}

    def in_a_terminal(self, port):
        """The command that starts it there."""
        settings = [f"PORT={port}"] * (port != 8888)
        settings += [f"{name}={value}" for name, value in self.settings().items()]
        words = " ".join([*settings, self.words])
        limits = f"ulimit -n {LIMITS['files']} -u {LIMITS['processes']}"
        return f"({limits}; {words})" if self.limited else words


def seconds(delay):
    try:
        number = float(delay)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= LONGEST:
        raise Refused(f"DELAY is a number of seconds from 0 to {LONGEST}, not {delay!r}.")
    return number


def is_of_a_taken_port(error):
    """Whether a server could not be started because somebody else was faster."""
    return "is taken" in str(error) or "already in use" in str(error)
