"""A new server on the port of an old one."""

import os
import subprocess

from lab.server import stage_command


def first_words(server, port):
    """What a new server says first, on a port; it is ended as soon as it has said it.

    server   the name of a stage, or a command as lab.changed gives it
    """
    command = stage_command(server) if isinstance(server, str) else server
    new = subprocess.Popen(command, env={**os.environ, "PORT": str(port)}, text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    with new:
        said = new.stdout.readline()
        new.kill()
    return said.rstrip()
