"""What a cell prints, or the reason why it cannot be seen here."""

import subprocess

from lab.kernel import CannotSee, connections
from lab.server import start_stage


def tell_connections(port):
    """Print the TCP connections with this port at either end, a line for each end; ours first."""
    try:
        ends = sorted(connections(port), key=lambda end: (end.local[1] != port, end))
    except CannotSee as reason:
        print(reason)
        return
    for end in ends:
        (here, port), (there, other) = end.local, end.foreign
        print(f"{here}:{port} to {there}:{other}  {end.state}")


def ask_both(before, step, application, command, **environment):
    """Run a command of the shell against two stages, one after the other; print what it says.

    command   URL in it stands for the address of the server: "curl -s URL/hello"
    """
    for name in (before, step):
        with start_stage(name, application, **environment) as server:
            line = command.replace("URL", f"http://localhost:{server.port}")
            said = subprocess.run(line, shell=True, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT).stdout
        print(f"webserver{name}:", said.rstrip("\n").replace("\r", ""), sep="\n")
