"""What a look at the servers is written as. A recording is JSON, one object a line.

The first line is the header:

    version   1
    made      when, as in "2026-11-21T20:15:00+00:00"
    rate      looks a second; a look may come later than that where looking costs too much
    sees      whether this system shows all of what follows
    system    as in "Linux 6.18, Python 3.11.7"
    run       a word that no other run of the program has

Each line after it is a moment. It holds until the next one: a look that sees nothing new is not
written down, so there may be an hour between two of them. A moment is all that a drawing needs.
Only what stands in `said` is not said again in the next.
Times are seconds since the recording began, but for `age`, which is a process's at that time.

    number    1, 2, 3, ...: of the looks that were written down
    time      when
    servers   one, or two side by side, each:
        name          "3f"; "your server"
        idea          the first line of its docstring; "" for the reader's own
        command       what starts it in a terminal, with its settings
        port          that it serves on
        pid           of its first process
        running       whether that process lives
        exit_status   of that process: None while it lives, minus the signal that ended it
        last_words    the last line of its error output, once it has ended
        trouble       a sentence on why it could not be started; None
        frozen        whether that process is stopped (SIGSTOP)
        delay         DELAY in seconds, None for a server that has none
        limited       whether `limits` bind it
        limits        {"files": 256, "processes": 400}
        processes     the family, the parent first, then by age:
            pid, ppid
            role         "parent", "worker" (a child that listens), "child"; "gone": it was here
                         in the last 3 seconds, or is known from the log only
            was          what a "gone" one was: "parent", "worker" or "child"
            state        "running", "sleeping", "stopped", "zombie", "gone"
            born         when it began; None where only the log knows of it
            ended        when a look first found it a zombie, or gone
            age          seconds that it has lived, until it ended
            call         the system call that it sleeps in, such as "accept"; None
            threads      how many
            pending      ["SIGCHLD"]: signals that wait; one bit each, however many were sent
            blocked      those that have to wait
            caught       those that it has a handler for
            ignored      those that do nothing to it
            exit_status  of a zombie, or of one that is gone and was waited for; None: not known
            reaped       of one that is gone: whether its parent has waited for it: it said so, or
                         it lives, and does not ignore SIGCHLD, and the child is no zombie any more
            killed       "living" or "zombie": what it was when it was killed from the page; None
            seen         "kernel"; "log": it lived between two looks, the server's words tell of it
            descriptors  by their numbers:
                number, kind ("listening", "connection", "file", "pipe", "other"),
                inode    the kernel's number; the same in two processes is the same socket; or None
                words    what /proc says of it
        queue         waiting: finished connections that wait for accept; backlog: how many may;
                      outside: clients that the kernel does not let in: their SYN has no
                      answer, or theirs to the server's was dropped. None where nobody listens
        connections   each once, by the client's port:
            inode         of the server's end; 0 where no process holds it (yet, or any more)
            local         [address, port] of the server's end
            foreign       [address, port] of the client's end
            state         of the server's end, such as "ESTABLISHED"; None: the kernel has none
            client_state  of the client's end, where that is on this machine
            held_by       PIDs that have a descriptor for the server's end
            client        number of the client of ours; None for others
            Of those in TIME_WAIT at most 16 are listed.
        requests      what our clients do or did in the last 15 seconds, by number:
            client    its number
            kind      "one", "crowd", "held", "silent", "slow", "reset"
            began, connected, first_byte, end    times; None for what has not happened
            status    200; None
            error     a sentence; None
            port      of its end
            open      whether the client still has its end open
            seen      "kernel"; "log" if no look has ever found its connection: its own word only
        counts        descriptors: of the parent; processes, zombies: of the family; connections;
                      time_wait; clients: with an open end; asked, served, failed: since its start;
                      children, reaped: since its start, as far as seen or said
        said          what it printed since the moment before, as lines
        sentences     what is to be seen, in words
    done      what was done here, the latest at the end, at most 30:
        number, time, server (its name), words, command (that does the same in a terminal)

Where the system does not show something (macOS: queue, connections, pending signals, what a
descriptor is) it is None or empty, and `sees` of the header is false.
"""

VERSION = 1
