"""The instruments that the notebooks and the tests share. Each has one job.

    server    start any command as a server, keep what it says, be sure that it ends
    clients   one that asks, many that ask at once, one that behaves badly
    kernel    what the kernel knows of a server: processes, descriptors, sockets, queues
    source    what one stage adds to another
    past_fork what some chapters measure over and over; imported on its own
    exercises a cell compares the reader's answer with what was measured
    guesses   what the reader thinks will happen, beside what has happened
    signals   a server's children and its signals, watched from outside
    concurrent_wsgi   four questions to a WSGI server for many clients, and applications for them
    copies    the reader's own copies of the chapters
    tables    rows and columns, as a notebook draws them and as text
    production nginx, instances behind it, machines, a load; imported on its own
    peers     the servers that people use, beside ours
    needs     %%needs, for cells that want a program which may not be there
    held      a client that keeps quiet while one looks at who holds its connection
    door      a crowd at the door of a busy server: who is inside, who waits, who is outside
    lanes     the system calls of a client and a server, side by side in time
    restart   what a new server says on the port of an old one
    loops     a loop of the reader's own in stage 3b, and what three clients get of it
    paused    a server that stands still after each of its steps, so that one can look
    mysteries a server misbehaves: which fault is it, and in which line?
    cases     the answers to that
    tell      what a cell prints of that: both of two stages, or why something cannot be seen
    pictures  of all that; imported on its own, for only the notebooks need it
    drawings  of what never moves; likewise
    in_words  what each picture shows, in a sentence
    course    where one is in the course, drawn for the top of each chapter
    words     the page of words
"""

from lab.clients import (
    Answer,
    allow_files,
    ask,
    ask_at_once,
    connect,
    read_until,
    reset,
    type_into_telnet,
)
from lab.exercises import compare
from lab.kernel import (
    CannotSee,
    Recorder,
    caught_signals,
    children,
    connections,
    cpu_seconds,
    descriptor_count,
    descriptors,
    eventually,
    holder_of_port,
    holders,
    ignored_signals,
    listeners,
    listening,
    memory,
    pending_signals,
    process,
    queue,
    sleeps_in,
    socket_pairs,
    thread_count,
    unread,
    wakeups,
    zombies,
)
from lab.server import PROJECT, Server, ServerError, free_port, stage_command, start, start_stage
from lab.source import changed, diff, excerpt
from lab.tell import ask_both, tell_connections
