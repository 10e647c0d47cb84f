"""A line for a shell that shows a property of the reader's server, and what to look for in it.

A line starts the server, behaves as a client, looks, and ends all that it has started, in bash,
zsh and sh alike: also when Ctrl-C comes in the middle. That is what the parentheses are for: all
in them is one process group, which the trap kills. They also keep settings from the reader's shell.
"""

import os
import shlex
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lab

CLIENT = "tests/grader/client.py"
ASK = "curl -m 5 {host}:{port}/hello"
TIMED = ("curl -sm 9 -w 'first byte after %{{time_starttransfer}} s, end after %{{time_total}} "
         "s\\n' {host}:{port}/hello")
TRAP = 'trap "kill -9 0" EXIT INT'  # 0 is the process group: the server, its children, the clients
ANOTHER_HOST = "127.0.0.2"  # Linux has all of 127.*, others the first alone


@dataclass(frozen=True)
class Try:
    """What to do when the server has started, and what to look for.

    line    for a shell in which $p is the server's PID; {host} and {port} are where it listens,
            {family} and the like an instrument of the system, {server} its command once more
    look    what to look for
    delay   DELAY, in seconds; a number with a point, as make check has it
    app     what a WSGI server is started with
    setting what the environment has besides
    limit   a ulimit to start the server with; {processes} is what the reader runs and twenty more
    """

    line: str
    look: str
    delay: str = "0.1"
    limit: str = ""
    app: str = "part2.wsgiapp:app"
    setting: str = ""


ZOMBIES = "A line with Z in its third column is a zombie. Each server process in the list is " \
          "numbered in the first column, its parent in the second."
SERVED = "The last thing to come ought to be the body of an answer."

TRIES = {
    "starts": Try("{listening}",
                  "There ought to be a line with {host}:{port}. If there is none, read what your "
                  "server said before."),
    "accepts": Try(f"{CLIENT} silent & sleep 1; {{queue}}",
                   "Recv-Q (or the first number) says how many clients wait to be accepted: one "
                   "has come, and ought to be in your server's hands. 0 is right."),
    "reads": Try(f"{CLIENT} late",
                 "Before the client asks nothing ought to come. Then it asks with a long request, "
                 "gets the answer, and the server closes, without a reset."),
    "answers": Try(f"{CLIENT} asks",
                   "What came, byte by byte: the status line, an empty line, the body, each with "
                   "its line end, then \"the server closed\"."),
    "goes_on": Try(f"{CLIENT} asks 2", "The same answer ought to come twice."),
    "stays": Try(f"sleep 6; {CLIENT} silent & sleep 6; kill $! ; {ASK}",
                 f"Six seconds nobody comes, six seconds somebody is silent. {SERVED}"),
    "survives_silent_client": Try(f"{CLIENT} nothing; {ASK}", SERVED),
    "survives_garbled_client": Try(f"{CLIENT} nonsense; {ASK}",
                                   f"After which request does your server complain? {SERVED}"),
    "survives_vanishing_client": Try(f"{CLIENT} leaves; {ASK}",
                                     f"After which client does your server complain? {SERVED}"),
    "serves_while_another_waits": Try(
        f"{CLIENT} silent & sleep 1; {ASK}",
        "Hello, World! comes at once, though somebody else is connected and silent. If curl gives "
        "up after 5 s, it had to wait for the silent one."),
    "ends_the_connection": Try(
        f"{ASK}; {{open}}",
        "If curl gives up after 5 s, the connection was still open; the list shows which sockets "
        "the server holds then. The listening one is right, any other is a connection."),
    "keeps_descriptor_count": Try(
        "for i in 1 2 3 4 5; do curl -sm 1 {host}:{port}/hello; done; {open}",
        "After five clients a server without the fault has one socket, the one that listens. Any "
        "other is the connection of a client, which nobody has closed."),
    "lives_on_256_descriptors": Try(
        f"{CLIENT} row 300",
        "300 clients are answered, or the server says what it has too many of.",
        limit="-n 256"),
    "leaves_no_zombie_after_one": Try(f"{ASK}; sleep 1; {{family}}", ZOMBIES),
    "leaves_no_zombie_after_128": Try(
        f"{CLIENT} crowd 128; sleep 2; {{family}}",
        f"{ZOMBIES} After 128 clients at once, how many are left?", delay="1"),
    "lives_through_signal": Try(
        f"{ASK}; sleep 1; {ASK}",
        "The second client comes when the child of the first has ended. Is it answered? If not, "
        "what were the server's last words?", delay="1"),
    "lives_without_processes": Try(
        f"{CLIENT} silent 40 & sleep 2; kill $! ; sleep 2; {ASK}",
        f"The server may have twenty processes, and 40 clients come. When they have left: {SERVED} "
        "(Root is bound by no such limit: try it as another user.)",
        limit="-u {processes}"),
    "runs_wsgi": Try("curl -v -m 5 {host}:{port}/hello",
                     "The body ought to be the application's, and not one of your own."),
    "calls_it_anew": Try(f"{ASK}; echo; {ASK}",
                         "The application says something else each time it is called.",
                         app="tests.spec.probes:says_something_new"),
    "passes_the_head_on": Try(
        "curl -i -m 5 {host}:{port}/hello",
        "The head ought to be the application's: 299 Nonce, and each of its headers.",
        app="tests.spec.probes:has_a_status_of_its_own"),
    "sends_every_block": Try(
        f"{ASK} | cat -v; curl -m 5 {{host}}:{{port}}/list | cat -v",
        "A body of four blocks, twice: one, bytes that are no text, two, and a word.",
        app="tests.spec.probes:comes_in_blocks"),
    "waits_for_start_response": Try(
        "curl -i -m 5 {host}:{port}/hello",
        "The status ought to be 298 Late: the application says it when its first block is asked "
        "for.", app="tests.spec.probes:starts_late"),
    "says_what_was_asked": Try(
        "curl -m 5 {host}:{port}/a; echo; curl -m 5 -X DELETE {host}:{port}/b",
        "GET /a, and DELETE /b, for that is what was asked.",
        app="tests.spec.probes:says_what_was_asked"),
    "makes_environ_anew": Try(f"{ASK}; echo; {ASK}",
                              "The application looks whether it has seen this environ before.",
                              app="tests.spec.probes:marks_its_environ"),
    "fills_environ": Try(ASK, "The application says what is wrong with its environ.",
                         app="tests.spec.probes:looks_at_environ"),
    "outlives_its_application": Try(
        f"curl -i -m 5 {{host}}:{{port}}/hello; {ASK}",
        "The application fails. The client ought to be told so, with status 500 and no more, and "
        "so ought the second.", app="tests.spec.probes:fails"),
    "sends_it_all": Try(
        "curl -s -m 30 --limit-rate 4M {host}:{port}/hello | wc -c",
        "The client reads slowly: how many bytes of the body has it got?",
        app="tests.spec.probes:is_large"),
    "step_2b": Try(
        "curl -m 5 -H 'X-Probe: 1' '{host}:{port}/a%20b?c=d' | grep -E '_INFO|QUERY|PROBE'",
        "PATH_INFO has a blank, QUERY_STRING is c=d, HTTP_X_PROBE is 1.",
        app="wsgiref.simple_server:demo_app"),
    "step_2c": Try("curl -m 5 -d 'my body' {host}:{port}/echo",
                   "The application says what it has read: my body.", app="part2.shows:app"),
    "step_2d": Try("curl -N -m 8 {host}:{port}/count; curl -N -m 5 {host}:{port}/write",
                   "The numbers come one after another, while the application makes them; then "
                   "what it writes by write().", app="part2.shows:app"),
    "step_2e": Try("curl -i -m 5 {host}:{port}/fail; curl -m 5 {host}:{port}/hold",
                   "Who fails late ends the answer where it is, and close() is called.",
                   app="part2.shows:app"),
    "step_2f": Try("curl -i -m 5 {host}:{port}/; curl -v -m 5 --head {host}:{port}/blocks",
                   "The first answer says its Content-Length, the second has no body.",
                   app="part2.shows:app"),
    "step_2g": Try("(echo one; sleep 1; echo two) | curl -m 5 -T - {host}:{port}/echo",
                   "A body comes in two chunks, and the application reads all of it.",
                   app="part2.shows:app"),
    "step_2h": Try("curl -i -m 5 -H 'Bad Name: 1' {host}:{port}/",
                   "A header's name has no blank in it: the answer ought to be 400.",
                   app="part2.shows:app"),
    "step_2i": Try("curl -i -m 5 -H 'Content-Length: 4' -H 'Transfer-Encoding: chunked' -d body "
                   "{host}:{port}/echo",
                   "The request has two ends: the answer ought to be 400.", app="part2.shows:app"),
    "step_2j": Try(f"{CLIENT} late",
                   "With TIMEOUT=0.5 a client that says nothing for a second is given up: the "
                   "server has closed.", app="part2.shows:app", setting="TIMEOUT=0.5"),
    "complete_pep3333": Try("curl -v -m 5 -d body -H 'X-Probe: 1' '{host}:{port}/a%20b?c=d%20e'",
                            "The status ought to be 203, and the body says what was missing; the "
                            "application says so when it was closed.",
                            app="tests.spec.pep3333app:app"),
    "keeps_alive": Try(
        "curl -v -m 5 {host}:{port}/hello {host}:{port}/hello",
        "For the second request curl ought to say \"Re-using existing connection\"."),
    "holds_5000_idle": Try(
        f"{{tasks}}; {CLIENT} silent 5000 & sleep 9; {ASK}; {{tasks}}",
        "The two numbers count processes and threads: they ought to be the same, though 5,000 "
        "clients are connected, and Hello, World! comes between them.", limit="-n 6000"),
    "queues_five": Try(
        f"{CLIENT} silent 12 & sleep 1; {{queue}}",
        "Recv-Q (or the first number) says how many clients wait in the queue: five at least. "
        "One more is with the server, and for the others the queue is full."),
    "sleeps_after_answer": Try(
        TIMED, "The first byte comes at once, and the end three seconds later.", delay="3"),
    "sleeps_side_by_side": Try(
        f"({TIMED} & {TIMED} & wait)",
        "Both have their first byte at once, and their end after three seconds.", delay="3"),
    "a_process_for_each": Try(
        f"{CLIENT} silent 3 & sleep 1; {{family}}; kill $! ; sleep 1; {{family}}",
        "One server process, the parent, and one child for each of three clients: the second "
        "column is the parent's PID. Then the clients leave, and each child ought to have ended "
        "(Z in the third column)."),
    "no_process_for_each": Try(
        f"{CLIENT} silent 3 & sleep 1; {{family}}",
        "Three clients are connected. A server process whose second column is another's first is "
        "a child of it: there ought to be none for them."),
    "a_thread_for_each": Try(
        f"{CLIENT} silent 3 & sleep 1; {{threads}}",
        "Three clients are connected: three threads more than the server has without them (NLWP, "
        "or a line for each)."),
    "reaps_when_told": Try(f"{ASK}; sleep 1; {{family}}", ZOMBIES),
    "waits_for_the_dead_only": Try(
        f"{CLIENT} silent & sleep 1; {ASK}; sleep 1; {ASK}",
        "One child serves the silent client, another ends. The second curl is answered at once, "
        "too, unless the server waits for the living one."),
    "workers_in_advance": Try("{family}",
                              "No client has come, and there are children: lines whose second "
                              "column is the PID of the first."),
    "replaces_a_worker": Try(
        "{family}; pkill -KILL -o -P $p; sleep 2; {family}",
        "Two lists of processes, before and after the oldest worker was killed: as many workers in "
        "the second, a new one among them, and no zombie (Z in the third column)."),
    "ends_its_children": Try(
        f"{CLIENT} silent 2 & sleep 1; kill $p; sleep 9; {{left}}",
        "Nine seconds after kill there ought to be none left of the server's processes."),
    "gives_the_port_back": Try(
        f"{CLIENT} silent & sleep 1; kill -9 $p; sleep 1; {{queue}}",
        "The server is killed, and a child still has a client. Nobody ought to listen any more: "
        "no line with LISTEN or {host}:{port}."),
    "answers_bursts": Try(
        f"for i in 1 2 3 4 5 6 7 8 9; do {CLIENT} crowd 8; done; {ASK}",
        f"Eight clients come at once, nine times: are all of them answered? {SERVED}", delay="0"),
    "serves_beside_forty": Try(
        f"{CLIENT} silent 40 & sleep 1; {ASK}",
        "Forty clients are connected and silent: Hello, World! ought to come at once."),
    "threads_end": Try(
        f"{CLIENT} silent 40 & sleep 1; kill $! ; sleep 2; {{threads}}",
        "Forty clients came and left: how many threads are there still (NLWP, or a line for "
        "each)?"),
    "forks_for_clients_only": Try(
        f"{ASK}; sleep 1; {{wakeups}}; sleep 2; {{wakeups}}",
        "Twice how often the server woke up (voluntary switches), two seconds between them, in "
        "which nobody came: the same number, or nearly."),
    "sleeps_until_told": Try(
        "{signals}; {wakeups}; sleep 3; {wakeups}",
        "SigCgt are the signals with a handler, SigIgn those that are ignored: SIGCHLD is the "
        "fifth figure from the right, 1 if it is among them. And nothing ought to wake the server "
        "in three seconds in which nobody comes."),
    "sends_long_answers": Try(
        "curl -s -m 30 --limit-rate 2M {host}:{port}/hello | wc -c",
        "The answer is long, and the client reads slowly: 14,000,000 bytes ought to come.",
        setting="TIMES=1000000"),
    "listens_on_host_only": Try(
        "{queue}", "The address ought to be {host}, as HOST says: 0.0.0.0, * or :: is every one "
                   "that the machine has."),
    "idles": Try(
        f"sleep 3; {CLIENT} silent & sleep 3; {{times}}",
        "TIME is how long the server was busy: three seconds nobody was there, and three seconds "
        "somebody was silent. It ought to be 0."),
    "says_port_is_taken": Try(
        "{server} && echo It ended with status 0. & sleep 2",
        "The second start ought to end with a line that says why: no traceback, and not nothing. "
        "And status 0 would say that all went well."),
    "starts_again": Try(f"{ASK}; kill -9 $p; sleep 1; {{server}} & sleep 1; {ASK}",
                        f"The server was stopped and started again. {SERVED}"),
    "stops": Try(
        f"{CLIENT} silent 2 & sleep 1; kill $p; sleep 8; {{state}}",
        "Eight seconds after kill the server ought not to be in the list, and not to have said "
        "more than a line."),
}
CTRL_C = ("(export {settings}; trap : INT\n"  # the shell itself lives on, and waits
          "({client} silent 2 & sleep 2; kill -INT 0; sleep 8; {left}; kill -9 0) &\n"
          "{server}; wait)")  # who runs behind an & is deaf to Ctrl-C: here these are the clients
LOOK_AFTER_CTRL_C = ("Here kill -INT 0 does what Ctrl-C does. Eight seconds later there ought "
                     "to be none left of the server's processes, and no traceback.")


def see(result, stage, command, port=None):
    """(line, what to look for) for a Result of the reader's server, started by a command."""
    name = result.question.name
    port = port or usual_port()
    each = TRIES[name]
    tools = instruments(command, port)
    if stage.wsgi:
        command += f" {each.app}"
    host = ANOTHER_HOST if name == "listens_on_host_only" and sees_proc() else "127.0.0.1"
    settings = f"HOST={host} PORT={port}" + f" DELAY={each.delay}" * ("DELAY" in stage.source())
    settings += f" {each.setting}" * bool(each.setting)
    words = {"host": host, "port": port, "server": command, "settings": settings, "client": CLIENT,
             **tools}
    if name == "stops" and result.fault and "Ctrl-C" in result.fault.done:
        return CTRL_C.format(**words), LOOK_AFTER_CTRL_C
    start = command
    if each.limit:
        limit = each.limit.format(processes=processes_of_reader() + 20)
        start = f"(ulimit {limit}; exec {command})"
    line = (f"(export {settings}; {TRAP}\n{start} & p=$!\n"
            f"sleep 1; {each.line.format(**words)})")
    return line, each.look.format(**words)


def seen_from_here(path):
    """A path as one types it in the project's folder."""
    return str(path).removeprefix(f"{lab.PROJECT}/")


@cache
def usual_port():
    """8888, as in all texts; where that is taken, as by Jupyter, another one."""
    return 8888 if not lab.listeners(8888) else lab.free_port()


def sees_proc():
    return Path("/proc/self/fd").exists()


def processes_of_reader():
    return lab.server.tasks_of(os.getuid())


def file_of(command):
    """What the processes of a server are to be known by: the name of the file that it runs."""
    words = shlex.split(command)
    files = [word for word in words[1:] if (lab.PROJECT / word).is_file()]
    return Path((files or words)[0]).name


def has(program):
    return shutil.which(program)


def instruments(command, port):
    """What shows a thing on this system: $p is the PID of the server."""
    proc = sees_proc()
    ps = "ps -eo pid,ppid,stat,args"
    return {
        "family": f"{ps} | grep -w $p",
        "left": f"pgrep -g 0 -fl {file_of(command)} || echo none left",
        "state": "ps -o pid,stat,args -p $p",
        "times": "ps -eo pid,ppid,time,args | grep -w $p",
        "threads": "ps -o pid,nlwp,args -p $p" if proc else "ps -M -p $p",
        "wakeups": "grep ^vol /proc/$p/status" if proc else "ps -o pid,time,args -p $p",
        "signals": "grep -E 'Sig(Cgt|Ign)' /proc/$p/status" if proc else "ps -o caught -p $p",
        "tasks": "ps -eLo pid,ppid | grep -wc $p" if proc else "ps -axM | grep -wc $p",
        "open": "ls -l /proc/$p/fd" if proc else "lsof -nP -a -i -p $p",
        "queue": (f"ss -ltn 'sport = :{port}'" if has("ss")
                  else f"netstat -ltn | grep {port}" if proc
                  else f"netstat -Lan | grep {port}"),
        "listening": (f"ss -ltnp | grep -e :{port} -e pid=$p" if has("ss")
                      else f"netstat -an | grep LISTEN | grep {port}"),
    }
