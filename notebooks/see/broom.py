"""Whatever a run of the program has started, and is left of it, is swept away.

Each of these processes has SEE_RUN in its environment, as all have that it starts in turn; so it
is found even where its parent has died, or it has left its group. A process of the same name waits
for the end of a pipe: it comes when the program has ended, in whatever way. Then it sweeps.
"""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

import psutil

from lab import eventually
from see.process import open_process


def sweep(run, servers=False):
    """Kill what is left of that run; or only the servers that are looked at, and their families."""
    eventually(lambda: not kill_marked(run, servers), 20, 0.02)


def kill_marked(run, servers):
    """Kill all that are marked, but this process and who started it; how many there were."""
    spared = {os.getpid(), os.getppid()}
    found = 0
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if pid not in spared and is_marked(pid, run, servers):
                with open_process(pid) as send:
                    if is_marked(pid, run, servers):
                        found += 1
                        send(signal.SIGKILL)
    return found


def is_marked(pid, run, servers):
    environ = psutil.Process(pid).environ()
    return environ.get("SEE_RUN") == run and (not servers or environ.get("SEE_SERVER") == "1")


@contextmanager
def swept(run):
    """While a with block runs, a broom stands ready; when it is over, nothing of it is left."""
    environ = {name: value for name, value in os.environ.items() if name != "SEE_RUN"}
    broom = subprocess.Popen([sys.executable, "-m", "see.broom", run], stdin=subprocess.PIPE,
                             start_new_session=True, env=environ)
    try:
        yield
    finally:
        broom.stdin.close()
        broom.wait()


if __name__ == "__main__":
    for signum in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
        signal.signal(signum, signal.SIG_IGN)
    sys.stdin.buffer.read()
    sweep(sys.argv[1])
