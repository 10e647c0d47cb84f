"""The instruments that the notebooks and the tests share. Each has one job.

    server    start any command as a server, keep what it says, be sure that it ends
    clients   one that asks, many that ask at once, one that behaves badly
    kernel    what the kernel knows of a server: processes, descriptors, sockets, queues
    source    what one stage adds to another
    exercises a cell compares the reader's answer with what was measured
    guesses   what the reader thinks will happen, beside what has happened
    copies    the reader's own copies of the chapters
    held      a client that keeps quiet while one looks at who holds its connection
    pictures  of all that; imported on its own, for only the notebooks need it
"""

from lab.clients import Answer, allow_files, ask, ask_at_once, connect, read_until, reset
from lab.exercises import compare
from lab.kernel import (
    CannotSee,
    Recorder,
    children,
    connections,
    cpu_seconds,
    descriptor_count,
    descriptors,
    eventually,
    holder_of_port,
    holders,
    listeners,
    listening,
    memory,
    pending_signals,
    process,
    queue,
    sleeps_in,
    socket_pairs,
    thread_count,
    zombies,
)
from lab.server import PROJECT, Server, ServerError, free_port, stage_command, start, start_stage
from lab.source import diff
