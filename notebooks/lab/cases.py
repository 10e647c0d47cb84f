"""The answers to the mysteries. Whoever wants to find them himself does not read on.

Each Case is a server of notebooks/mysteries: what may be wrong with it, what is, and what mends
it. Its trial is what a user does when he meets the fault.
"""

import os
import signal
from contextlib import closing
from dataclasses import dataclass

from lab.clients import ask, connect, read_until
from lab.kernel import children, eventually, listeners, zombies


@dataclass(frozen=True)
class Case:
    """A server and its fault.

    faults     {letter: what may be wrong}
    fault      the letter of what is
    lines      texts of the file, each at the beginning of a line that one would change, or beside
               which one would add another: first ours, then others that do as well
    why        what happens, when it has been found
    pointers   {letter of another fault: where to look, and what speaks against it}
    where      where to look for the line
    mend       (text of the file, what stands there instead), ...
    trial      takes a function that starts the server, tells what a user sees, in a sentence
    ill, well  what it tells as the server is, and when it is mended
    """

    chapter: str
    faults: dict
    fault: str
    lines: tuple
    why: str
    pointers: dict
    where: str
    mend: tuple
    trial: callable
    ill: str
    well: str


def stop_it_alone(start):
    """Who has the harbour's port when the harbour itself has been stopped?"""
    with start() as server:
        eventually(lambda: "metres" in server.stdout)  # the log has begun
        os.kill(server.pid, signal.SIGTERM)
        server.wait_until_dead()
        free = eventually(lambda: not listeners(server.port), within=1)
    return "When it has been stopped, its port is " + ("free." if free else "still taken.")


def ask_for_sizes(start):
    """Somebody asks by HEAD, a hundred times, and the server may have 64 descriptors."""
    with start(files=64) as server:
        head = b"HEAD /LICENSE HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answered = sum(ask(server.port, head).status == 200 for _ in range(100))
        return "It answers a hundred of a hundred." if answered == 100 else "It dies before that."


def buy_bread(start):
    """Six customers, one after the other; who is left of their helpers?"""
    with start() as server:
        for _ in range(6):
            ask(server.port)
        if not eventually(lambda: len(zombies(server.pid)) == 2, within=1):
            eventually(lambda: not zombies(server.pid), within=5)
        return f"After six customers it has {len(zombies(server.pid))} zombies."


def sell_three_tickets(start):
    """Three tickets are sold, then the cinema closes."""
    with start() as server:
        for _ in range(3):
            ask(server.port)
        os.kill(server.pid, signal.SIGTERM)
        server.wait_until_dead()
        return f"After three tickets and the end, reports: {server.stdout.count('Report')}."


def fail_to_copy(start):
    """A backup that fails with exit status 3."""
    with start(BACKUP="exit 3") as server:
        eventually(lambda: all(child.state == "zombie" for child in children(server.pid)))
        return ask(server.port).body.decode().strip()


def close_with_a_visitor(start):
    """Somebody looks at the picture when the museum is told to close."""
    with start() as server, connect(server.port):
        eventually(lambda: children(server.pid))
        os.kill(server.pid, signal.SIGTERM)
        closed = eventually(lambda: server.exit_status is not None, within=5)
    return "Told to close, it closes." if closed else "Told to close, it stays open."


def read_answer(file):
    """An answer on a connection that is kept, as HTTP has it: (first line, body); a file of it."""
    first, length = file.readline(), 0
    while (line := file.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return first, file.read(length)


def read_the_menu_twice(start):
    """Two guests' worth of questions on one connection."""
    with start() as server, connect(server.port) as guest, closing(guest.makefile("rb")) as file:
        for _ in range(2):
            guest.sendall(b"GET /french HTTP/1.1\r\nHost: localhost\r\n\r\n")
            first, _ = read_answer(file)
            if not first.startswith(b"HTTP/1.1 200 "):
                return "The second answer begins with something else."
        return "The second answer begins with its status."


def write_half_a_letter(start):
    """One client sends half of its letter; another comes."""
    with start() as server, connect(server.port) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n12345")
        served = ask(server.port, timeout=5).status == 200
    return "While one is slow, another is " + ("served." if served else "not served.")


def ask_for_six(start):
    """What nginx sends for six clients who ask for the first time."""
    with start() as server:
        head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.%d\r\n\r\n"
        heads = [head % number for number in range(1, 7)]
        answered = sum(ask(server.port, head).status == 200 for head in heads)
    return f"Of six visitors {answered} are answered."


def leave_two_coats(start):
    """One guest comes first and asks last, so that the two have a worker each."""
    with start() as server, connect(server.port) as first:
        second = ask(server.port).body
        first.sendall(b"GET / HTTP/1.1\r\n\r\n")
        same = read_until(first, b"no such end").endswith(second)
    return "Two guests have " + ("the same number." if same else "two numbers.")


CASES = {
    "harbour": Case(
        chapter="3_3_descriptors",
        faults={
            "a": "the socket is not set up so that a server can start again at once",
            "b": "a client's connection is kept open",
            "c": "a child keeps the listening socket open",
            "d": "the server does not end when it is told to",
        },
        fault="c",
        lines=("        keep_log()", "if os.fork() == 0:", "listen_socket = socket.create_server("),
        why="The child that keeps the log was forked when the listening socket was open already. "
            "It has a copy, never closes it, and sleeps for an hour. As long as it has it, the "
            "kernel lets clients in for somebody who never calls accept, and nobody else gets "
            "the port.",
        pointers={
            "a": "That concerns connections that are over (TIME_WAIT). Here ss shows LISTEN, and "
                 "with a process.",
            "b": "Look at what ss shows: is it a connection that somebody holds, or another kind "
                 "of socket?",
            "d": "It did end, the exit status says so. Compare its PID with the one that ss shows.",
        },
        where="Who is the process that ss shows, and where in the file does it begin? What does "
              "it hold from then on?",
        mend=(("        keep_log()", "        listen_socket.close()\n        keep_log()"),),
        trial=stop_it_alone,
        ill="When it has been stopped, its port is still taken.",
        well="When it has been stopped, its port is free.",
    ),
    "library": Case(
        chapter="3_3_descriptors",
        faults={
            "a": "one kind of request leaves a file open",
            "b": "the connections of some readers are not closed",
            "c": "the limit is too low for so many readers",
            "d": "a file that is not there is never closed",
        },
        fault="a",
        lines=("return head\n", 'if method == "HEAD":', "file = os.open("),
        why="For HEAD the function returns in the middle, and the line that closes the file is "
            "not reached. Each such question leaves a descriptor behind, until there is none "
            "for the next client.",
        pointers={
            "b": "What do the numbers in the list refer to: to sockets?",
            "c": "The clients came one after another. How many descriptors does the server need "
                 "for one of them?",
            "d": "All asked for a file that is there. And for one that is not, how far does the "
                 "function come?",
        },
        where="Follow both kinds of request through the function that opens the file, line by "
              "line, to its end.",
        mend=(("        return head\n", "        os.close(file)\n        return head\n"),),
        trial=ask_for_sizes,
        ill="It dies before that.",
        well="It answers a hundred of a hundred.",
    ),
    "bakery": Case(
        chapter="3_4_zombies",
        faults={
            "a": "the parent waits with the wrong call: waitpid leaves zombies, wait does not",
            "b": "there is a child that nobody waits for",
            "c": "the children end in the wrong way",
            "d": "some customers leave early, and their children stay",
        },
        fault="b",
        lines=("            in_a_child(bake)", "os.waitpid(assistant, 0)"),
        why="The parent waits for the assistant of each customer, and for nobody else. The PID of "
            "the child that bakes is thrown away: it ends, and its entry stays.",
        pointers={
            "a": "A child that waitpid has returned is as gone as with wait. Is it called for each "
                 "of the children?",
            "c": "os._exit is how our children have ended all along. And a zombie has ended.",
            "d": "A zombie is a process that has ended, so its client does not matter. Count: how "
                 "many customers, how many zombies?",
        },
        where="After which customers does a zombie come? Which lines make a child, and which wait "
              "for one?",
        mend=(("            in_a_child(bake)", "            os.waitpid(in_a_child(bake), 0)"),),
        trial=buy_bread,
        ill="After six customers it has 2 zombies.",
        well="After six customers it has 0 zombies.",
    ),
    "cinema": Case(
        chapter="3_4_zombies",
        faults={
            "a": "the number of tickets is counted in the child, so the parent does not know it",
            "b": "SIGTERM reaches the children too, and each of them reports",
            "c": "the parent does not wait for its children",
            "d": "a child ends as the whole program would, with all that is to be done at its end",
        },
        fault="d",
        lines=("            sys.exit(0)", "atexit.register(report)", "if pid == 0:",
               "            listen_socket.close()", "sell(connection, sold)"),
        why="The parent has asked for a report at its end, and a child is a copy of it, with that "
            "wish. sys.exit runs what is registered, in the child too: a report for each "
            "customer. os._exit ends a process without it.",
        pointers={
            "a": "Each report was right at its moment, and the last is the true one. What is wrong "
                 "with the others?",
            "b": "When did the first reports come, before the kill or after it?",
            "c": "Then ps would show zombies. Does it?",
        },
        where="A report came as soon as a customer was served. What is the last that his child "
              "does?",
        mend=(("            sys.exit(0)", "            os._exit(0)"),),
        trial=sell_three_tickets,
        ill="After three tickets and the end, reports: 4.",
        well="After three tickets and the end, reports: 1.",
    ),
    "archive": Case(
        chapter="3_5_signals",
        faults={
            "a": "the backup is asked before it has ended",
            "b": "the shell that runs the backup hides its exit status",
            "c": "the signal of the backup's end was lost, as signals are not counted",
            "d": "somebody else has taken the backup's exit status away",
        },
        fault="d",
        lines=("os.waitpid(-1, os.WNOHANG)", "        if pid == 0:", "subprocess.Popen(BACKUP"),
        why="The handler waits for any child, and the backup is one. Its exit status went to the "
            "handler, which has no use for it. When poll asks, there is no such child any more, "
            "and subprocess assumes the best. In the mended server the backup has a process group "
            "of its own, and the handler asks for its own group's children only, which is what "
            "the 0 means (waitpid(2)).",
        pointers={
            "a": "Then the page would say that the copy is being made. And ps shows no such child "
                 "any more.",
            "b": "Try it in a terminal: sh -c 'ls /no/such/disk'; echo $?",
            "c": "A lost signal leaves a zombie. ps shows none: somebody did wait for the backup.",
        },
        where="ps shows no zombie, so somebody has waited for the backup. Which lines of the file "
              "wait, and for whom?",
        mend=(("os.waitpid(-1, os.WNOHANG)", "os.waitpid(0, os.WNOHANG)"),
              ("shell=True)", "shell=True, start_new_session=True)")),
        trial=fail_to_copy,
        ill="The copy is complete.",
        well="The copy has failed (3).",
    ),
    "museum": Case(
        chapter="3_5_signals",
        faults={
            "a": "a child has the signals blocked that its parent blocked around the fork",
            "b": "the child has its parent's handler for SIGTERM",
            "c": "the child is stuck in recv, where signals do not reach it",
            "d": "the parent does not know the child, for its PID is noted too late",
        },
        fault="a",
        lines=("        show(connection)", "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
               "signal.pthread_sigmask(signal.SIG_BLOCK, NOTED)", "    pid = os.fork()",
               "    if pid == 0:\n        listen_socket.close()", "        listen_socket.close()",
               "signal.pthread_sigmask(signal.SIG_UNBLOCK, NOTED)"),
        why="A child begins with its parent's mask, and the parent has blocked SIGTERM for the "
            "moment of the fork. The parent takes the block away again, the child never does. So "
            "SIGTERM waits in its pending bit for ever, and the parent waits for the child.",
        pointers={
            "b": "What does the child say about SIGTERM before it shows the picture? And a handler "
                 "would have taken the signal: it would not be pending.",
            "c": "A signal breaks into recv as into accept. Look at SigBlk and ShdPnd of the child "
                 "again.",
            "d": "Then the signal that we sent ourselves, to the child's own PID, would have ended "
                 "it. Did it?",
        },
        where="Which line changes what SigBlk shows? Who runs it, and who takes it back?",
        mend=(("        show(connection)\n",
               "        signal.pthread_sigmask(signal.SIG_UNBLOCK, NOTED)\n"
               "        show(connection)\n"),),
        trial=close_with_a_visitor,
        ill="Told to close, it stays open.",
        well="Told to close, it closes.",
    ),
    "menu": Case(
        chapter="3_8_a_server_to_use",
        faults={
            "a": "send takes only a part of the answer",
            "b": "the answer says a wrong length",
            "c": "two threads write on one connection",
            "d": "what comes after the first request is thrown away",
        },
        fault="b",
        lines=("Content-Length: {len(text)}", "text = MENU.get(path"),
        why="Content-Length counts bytes (RFC 9110, section 8.6), and len(text) counts characters. "
            "In French some of them take two bytes or three. What is left over of the first "
            "answer is read as the beginning of the second.",
        pointers={
            "a": "All bytes do arrive, the missing ones with the next answer. And it is sendall "
                 "that sends.",
            "c": "Each connection has one thread. And why would English be safe from that?",
            "d": "The second question was answered. Where has its answer begun?",
        },
        where="What does the guest's program go by, to know where an answer ends? Where is that "
              "number made?",
        mend=(("{len(text)}", "{len(text.encode())}"),),
        trial=read_the_menu_twice,
        ill="The second answer begins with something else.",
        well="The second answer begins with its status.",
    ),
    "letters": Case(
        chapter="3_8_a_server_to_use",
        faults={
            "a": "the loop watches connections that have nothing to say, and spins",
            "b": "the answer is too long for the kernel's buffer",
            "c": "the loop waits for one of its clients",
            "d": "the selector does not watch the listening socket any more",
        },
        fault="c",
        lines=("while block and len(letter) < length:",
               "        block = connection.recv(65536)\n        letter += block",
               "        letter += block"),
        why="The selector says that a connection has something to read, and that is true of one "
            "recv. The others in that while wait for a client who may be slow, and the whole "
            "loop waits with them. It has to remember what has come, and go back to the selector.",
        pointers={
            "a": "A server that spins does not sleep. Which call is this one asleep in?",
            "b": "The answer has some twenty bytes. And which call is the server asleep in?",
            "d": "Who calls unregister, and for which sockets? And when the slow one had its "
                 "answer, the next client was let in.",
        },
        where="A loop sleeps in epoll_wait, or whatever its selector uses, and this one sleeps in "
              "recv. Which recv may wait?",
        mend=(("    while block and len(letter) < length:\n"
               "        block = connection.recv(65536)\n        letter += block\n",
               "    if block and len(letter) < length:\n        return\n"),),
        trial=write_half_a_letter,
        ill="While one is slow, another is not served.",
        well="While one is slow, another is served.",
    ),
    "oracle": Case(
        chapter="4_in_production",
        faults={
            "a": "nginx asks again when an answer is bad, and each try counts",
            "b": "the counts are never set back",
            "c": "nginx sends old answers again",
            "d": "all visitors are one to the server",
        },
        fault="d",
        lines=("visitor = address[0]",),
        why="Behind nginx every connection comes from nginx, so all visitors have one address, and "
            "one account of five answers. Who the client is nginx says in X-Forwarded-For, and "
            "it can be believed as long as nobody but nginx can ask the server.",
        pointers={
            "a": "How many questions does the server's own log show, and how many were asked?",
            "b": "They begin anew each day. And how many questions had the sixth visitor asked?",
            "c": "Then the server's log would have fewer lines than there were questions. Count "
                 "them.",
        },
        where="By what does the server know a visitor, and where does it take that from?",
        mend=(("visitor = address[0]", 'visitor = headers.get("x-forwarded-for", address[0])'),),
        trial=ask_for_six,
        ill="Of six visitors 5 are answered.",
        well="Of six visitors 6 are answered.",
    ),
    "cloakroom": Case(
        chapter="4_in_production",
        faults={
            "a": "each worker draws the same numbers, for each has a copy of one generator",
            "b": "64 bits are too few, so numbers meet by chance",
            "c": "both workers have accepted the same connection",
            "d": "the number is made before the guest has asked",
        },
        fault="a",
        lines=("numbers = random.Random(", "number = numbers.getrandbits(64)",
               "    pid = os.fork()", "    if pid == 0:", "        work(listen_socket)",
               "def work(listen_socket):"),
        why="The generator was seeded once, well, and before the fork. Each worker goes on with a "
            "copy of it, and copies draw the same numbers. SystemRandom keeps nothing that could "
            "be copied: it asks the kernel each time.",
        pointers={
            "b": "Chance would not do it with the first two guests, and again with the next two. "
                 "What have these in common?",
            "c": "Each guest had an answer of his own, on a connection of his own. A connection is "
                 "accepted once.",
            "d": "Then it would be another one all the same. From where do the two workers draw?",
        },
        where="What do two workers have in common when they begin, and which line has made it?",
        mend=(("random.Random(os.urandom(32))", "random.SystemRandom()"),),
        trial=leave_two_coats,
        ill="Two guests have the same number.",
        well="Two guests have two numbers.",
    ),
}
