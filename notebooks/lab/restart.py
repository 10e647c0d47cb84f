"""A new server on the port of an old one."""

import os
import subprocess

from lab.server import stage_command


def first_words(stage, port):
    """What a new server of a stage says first, on a port; it is ended as soon as it has said it."""
    new = subprocess.Popen(stage_command(stage), env={**os.environ, "PORT": str(port)}, text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    with new:
        said = new.stdout.readline()
        new.kill()
    return said.rstrip()
