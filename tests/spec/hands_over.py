"""Start a command with sockets from descriptor 3 on, as systemd does: see sd_listen_fds(3).

    python hands_over.py [--again] KIND,KIND,... COMMAND...

A kind is tcp, tcp6, unix:PATH, or one that no server can use: udp, seqpacket, connected, file or
closed. With --again the sockets stay, and SIGUSR1 ends the command with SIGTERM, and starts it once
more.
"""

import os
import signal
import socket
import sys

HEEDED = {signal.SIGUSR1, signal.SIGTERM}


def make(kind):
    """A descriptor of this kind."""
    if kind == "tcp":
        made = socket.create_server(("127.0.0.1", 0), backlog=1024)
    elif kind == "tcp6":
        made = socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=1024)
    elif kind.startswith("unix:"):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(kind.removeprefix("unix:"))
        made.listen(1024)
    elif kind == "seqpacket":
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.bind("")
        made.listen()
    elif kind == "udp":
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    elif kind == "connected":
        made = socket.socketpair()[0]
    else:
        return os.open(os.devnull, os.O_RDONLY)
    name = made.getsockname()
    print(f"Handed over: {f'port {name[1]}' if kind[:3] == 'tcp' else name}", file=sys.stderr)
    return made.detach()


def become(command, kinds, made):
    """Run the command in this process, with these descriptors from 3 on."""
    out_of_the_way = [os.dup2(descriptor, 100 + number) for number, descriptor in enumerate(made)]
    for number, descriptor in enumerate(out_of_the_way, 3):
        os.dup2(descriptor, number)
        os.close(descriptor)
        if kinds[number - 3] == "closed":
            os.close(number)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(made)), LISTEN_FDNAMES="web")
    os.execvp(command[0], command)


def start(command, kinds, made):
    """The PID of a new process that runs the command."""
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)
        become(command, kinds, made)
    return pid


def run_again_and_again(command, kinds, made):
    signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
    told = None
    while told != signal.SIGTERM:
        pid = start(command, kinds, made)
        told = signal.sigwait(HEEDED)
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    again = sys.argv[1] == "--again"
    kinds, *command = sys.argv[2 if again else 1:]
    kinds = kinds.split(",")
    made = [make(kind) for kind in kinds]
    (run_again_and_again if again else become)(command, kinds, made)
