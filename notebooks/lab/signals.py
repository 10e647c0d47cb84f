"""A server's children and its signals, watched from outside."""

import os
import signal
import tempfile
from pathlib import Path

from lab.clients import REQUEST, ask, connect
from lab.kernel import children, eventually, process, zombies
from lab.server import ServerError, stage_command, start


def freeze_while_children_end(server, clients):
    """Let the children of that many clients end while their parent is frozen, then let it go on.

    Returns how many zombies are left when the server has had time to reap them.
    """
    connections = [connect(server.port) for _ in range(clients)]
    eventually(lambda: len(children(server.pid)) == clients)
    os.kill(server.pid, signal.SIGSTOP)
    eventually(lambda: process(server.pid).state == "stopped")
    for connection in connections:
        connection.sendall(REQUEST)
    eventually(lambda: len(zombies(server.pid)) == clients)
    os.kill(server.pid, signal.SIGCONT)
    eventually(lambda: not zombies(server.pid), within=1)
    for connection in connections:
        connection.close()
    return len(zombies(server.pid))


def system_calls(stage, names, until, times):
    """What strace shows of a stage that one client asks: a list of lines.

    names   the system calls to look at, as strace wants them: "accept,accept4,wait4"
    until   wait until this word has been seen so many times
    """
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        strace = ["strace", "-D", "-o", str(trace), "-e", f"trace={names}"]
        try:
            with start([*strace, *stage_command(stage)], DELAY=0.3) as server:
                ask(server.port)
                eventually(lambda: trace.read_text().count(until) >= times)
                return trace.read_text().splitlines()
        except ServerError:
            return ["strace is not installed here, or may not watch other processes."]
