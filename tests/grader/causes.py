"""What a server says when something goes wrong, and the hints on that: they come before all others.

A server that dies early fails whatever it is asked, and a hint on that would lead astray. What it
has said leads to the cause.
"""

import re
from dataclasses import dataclass

SIGNALLED = r"status (-{0}|{1})\b"  # as Python tells it, and as a shell does


@dataclass(frozen=True)
class Cause:
    """Words of a server that tell what is wrong with it.

    pattern   a regular expression for them
    words     they, in a report
    asked     names of questions: it counts in stages that are asked one of them; () is every stage
    hints     texts, the weakest first
    claim     the section to read, None if there is none
    """

    pattern: str
    words: str
    asked: tuple
    hints: tuple
    claim: str | None


DELAYED = ("sleeps_after_answer", "sleeps_side_by_side")
FORKING = ("a_process_for_each",)
THREADING = ("a_thread_for_each",)
REAPING = ("waits_for_the_dead_only", "reaps_when_told")
WORKING = ("workers_in_advance",)
LOOPING = ("holds_5000_idle",)

NO_CHILD = r"ChildProcessError|No child process|ECHILD"
BAD_DESCRIPTOR = r"Bad file descriptor|EBADF|bad file descriptor|closed stream"
IN_USE = r"(?i)address already in use|EADDRINUSE"

CAUSES = {  # the first that fits counts
    "slow": Cause(
        r"It took longer than \d+ s\. The server is slow|It was not asked\.",
        "nothing yet, for it is slow", (),
        ("How long does one client wait, with nobody else there? Put time before curl: "
         "time curl localhost:8888/hello",
         "An answer is a matter of milliseconds. What takes longer has to wait for something: a "
         "sleep before the answer, a name that is looked up, or the end of what another does."),
        None),
    "delay": Cause(
        r"""invalid (literal|value) for (?i:int).*['"]\d*\.\d+['"]|parsing "\d*\.\d+": invalid""",
        "DELAY is no whole number", DELAYED,
        ("DELAY may be 0.05: seconds, and parts of one. What does your server take it for?",
         "It is text, and becomes a number with a point: float(...) in Python, strtod in C, to_f "
         "in Ruby."), "3.2"),
    "no_child_in_loop": Cause(
        NO_CHILD, "there is no child to wait for", ("leaves_no_zombie_after_128",),
        ("Your server waited, and had no children any more. Is that an error, in a loop that is to "
         "go on until there is none left?",
         "The loop has two ways out: waitpid says that there are children, but none has ended (0), "
         "or that there are no children at all (in Python ChildProcessError, in C -1 and ECHILD)."),
        "3.22"),
    "no_child_in_handler": Cause(
        NO_CHILD, "there is no child to wait for", ("reaps_when_told",),
        ("Your server waited for a child that somebody else had waited for. Who?",
         "Each child can be waited for once. Let the handler wait, and nobody else; or let the "
         "handler live with it that there is no child left."), "3.18"),
    "no_child": Cause(
        NO_CHILD, "there is no child to wait for", (),
        ("Your server waits for children, and has none just then. At this stage, who needs it to?",
         "Each child can be waited for once, and by its parent alone. If this stage is not about "
         "that, take the wait out."), "3.13"),
    "interrupted": Cause(
        r"Interrupted system call|InterruptedError|EINTR", "a signal has interrupted a call",
        ("lives_through_signal",),
        ("Which call was interrupted, and by what? Something had just ended.",
         "The child's end sends its parent SIGCHLD. Where that has a handler, the call in which "
         "the parent slept, accept, is given up with the error EINTR.",
         "EINTR says: nothing is wrong, call again. Go back to accept then, and not on to what "
         "comes after it: there is no new client."), "3.20"),
    "closed_by_child": Cause(
        BAD_DESCRIPTOR, "it used a socket that was closed", FORKING,
        ("Your server used a socket that it had closed. Which process was that, and how did it "
         "come to that line?",
         "The child closes the listening socket, which it does not need. If it does not exit when "
         "its client is served, it goes on in the loop, to accept on what it has closed.",
         "Or the parent closes the wrong one: its copy of the connection is to go, and the "
         "listening socket is to stay."), "3.9"),
    "closed_by_thread": Cause(
        BAD_DESCRIPTOR, "it used a socket that was closed", THREADING,
        ("Your server used a socket that it had closed. Who closed it?",
         "Threads share their descriptors: what one closes is closed for all. Only the thread that "
         "serves a client closes its connection."), "3.26"),
    "closed": Cause(
        BAD_DESCRIPTOR, "it used a socket that was closed", (),
        ("Your server used a socket that it had closed. Which of the two: the one that listens, or "
         "the connection?",
         "The listening socket stays open as long as the server lives. What accept returned is "
         "closed, once, when the answer is sent."), "1.4"),
    "too_high_for_select": Cause(
        r"out of range in select|FD_SETSIZE|bit out of range|buffer overflow detected",
        "a descriptor is too high for select", LOOPING,
        ("select has room for so many descriptors, and for no more. Which number is the limit?",
         "It is FD_SETSIZE, 1024 nearly everywhere: a descriptor from there on has no place in its "
         "sets. poll has no such limit, nor has epoll (Linux) or kqueue (macOS). In Python "
         "selectors.DefaultSelector takes the best there is."), "3.28"),
    "too_many_files": Cause(
        r"(?i)too many open files|EMFILE", "it has too many open files",
        ("keeps_descriptor_count", "lives_on_256_descriptors"),
        ("Too many open files are too many descriptors: each connection is one. Which line gives "
         "them back?",
         "Every process that has a copy of a connection closes it when it is done: after a fork "
         "that is two. Look for a way through your program on which nobody does, such as the one "
         "after an error."), "3.12"),
    "no_more_processes": Cause(
        r"(?s)fork.{0,200}(Resource temporarily|EAGAIN)|can't (start|create) .{0,20}[Tt]hread",
        "there are no more processes or threads to be had", ("lives_without_processes",),
        ("The call for a new process or thread failed, and your server with it. What could it do "
         "with that client instead?",
         "Close the connection, or let the client wait until somebody is done, and go on."),
        "3.15"),
    "would_block": Cause(
        r"BlockingIOError|Resource temporarily unavailable|EAGAIN|EWOULDBLOCK",
        "a call would have to wait", LOOPING,
        ("The socket is non-blocking: where the call would have to wait, it fails instead. Is that "
         "an error?",
         "EAGAIN says: nothing now, ask again when the kernel says that this one is ready. What "
         "was ready a moment ago may not be so any more, for another may have been there first."),
        "3.28"),
    "handler_in_between": Cause(
        r"changed size during iteration|list\.remove\(x\)|reentrant call|deque mutated",
        "the handler came in between", REAPING,
        ("What does your handler change, and who else is at work on that at the same moment?",
         "A handler runs between any two steps of your program, in the middle of a line too. Let "
         "it do little: waitpid, and os.write instead of print. What it changes nobody else may be "
         "changing just then: a dictionary's pop with a default is one step; a search and then a "
         "removal are two."), "3.24"),
    "signal_in_thread": Cause(
        r"signal only works in main thread", "signals are the main thread's", THREADING,
        ("Python lets the main thread alone set handlers. Which of your threads tries to?",),
        "3.26"),
    "not_connected": Cause(
        r"(endpoint|Socket) is not connected|ENOTCONN", "a socket without a client", (),
        ("Your server read from a socket that has no client, or wrote to it. Which one was it?",
         "The listening socket never carries a byte. accept returns another one for each client: "
         "read from that, and write to it."), "1.4"),
    "before_listen": Cause(
        r"(?s)accept.{0,200}(Invalid argument|EINVAL)", "accept does not work on this socket", (),
        ("accept works on a socket that listens. Which calls make one of it?",
         "socket, bind, listen, in this order, and each once; then accept."), "1.1"),
    "no_socket": Cause(
        r"on non-socket|ENOTSOCK", "a number that is no socket", (),
        ("The number that your server took for a socket is none. Where does it come from?",
         "In C (fd = accept(...)) < 0 needs its parentheses: without them fd is the result of the "
         "comparison, 0 or 1."), "1.1"),
    "bound_by_workers": Cause(
        IN_USE, "the port is in use", WORKING,
        ("Who binds the port, and how many times?",
         "One socket is enough for all workers: socket, bind and listen come once, before the "
         "first fork. The workers have it from their parent."), "3.27"),
    "held_by_child": Cause(
        IN_USE, "the port is in use", FORKING,
        ("Your server has ended, and the port is in use still. Who has the listening socket?",
         "A child has a copy of all that its parent had open. As long as one of them keeps the "
         "listening socket, nobody else can listen there: let the child close it first of all.",
         "And set SO_REUSEADDR on the listening socket, before bind: a connection that is over "
         "stays in the kernel for a minute."), "4.1"),
    "in_use": Cause(
        IN_USE, "the port is in use", (),
        ("The port is in use. Does your server bind it twice? Or had it just been stopped?",
         "A connection that is over stays in the kernel for a minute, and its port with it "
         "(TIME_WAIT). Set SO_REUSEADDR on the listening socket, before bind."), "4.2"),
    "address": Cause(
        r"(?i)cannot assign requested|can't assign requested|EADDRNOTAVAIL",
        "it cannot bind to this address", (),
        ("bind wants an address of this machine. Which one did your server give it?",
         "HOST in the environment is the address, as text. In C inet_pton makes the four bytes of "
         "it, and htons turns the port round."), "1.2"),
    "broken_pipe": Cause(
        SIGNALLED.format(13, 141), "SIGPIPE has ended it", (),
        ("Signal 13 is SIGPIPE. When does the kernel send it?",
         "Your server wrote to a connection whose client was gone. Who does that is ended by "
         "SIGPIPE, unless he says otherwise: signal(SIGPIPE, SIG_IGN) once, at the start. Then "
         "the write returns -1, and only this client's business is over."), "4.6"),
    "memory": Cause(
        SIGNALLED.format(11, 139) + "|" + SIGNALLED.format(6, 134),
        "it reached for wrong memory", (),
        ("Signal 11 (SIGSEGV) or 6 (SIGABRT): it reached for memory that is not its own. What if "
         "recv returns 0, or -1? What if getenv returns NULL?",
         "Compile with -g -fsanitize=address, start it by hand, and it says which line it was."),
        None),
    "environ": Cause(
        r"KeyError: '(REQUEST_|SERVER_|CONTENT_|HTTP_|SCRIPT_NAME|PATH_INFO|QUERY_STRING|wsgi\.)",
        "a name is not in environ", ("fills_environ",),
        ("An application looked into its environ, and the name was not there. Who should have put "
         "it there, and where from: the request, the server, or WSGI itself?",
         "PEP 3333 has a list of what is in it, under \"environ Variables\". Nobody is to fail "
         "for what is missing there."), "2.6"),
    "environment": Cause(
        r"KeyError: '[A-Z_]+'|key not found: \"[A-Z_]+\"", "a name is not in the environment", (),
        ("The environment has no such name. Which ones does make check set?",
         "PORT and HOST always, and DELAY. Look at the spelling."), "1.2"),
    "no_module": Cause(
        r"ModuleNotFoundError: No module named '(part2|tests)", "its application is not found",
        ("fills_environ",),
        ("part2 is a folder where you stand. Where does Python look for a module? Not there: it "
         "begins with the folder of the program that it was started with, which is my/.",
         "sys.path is the list of folders in which it looks. Put the current one there, "
         "os.getcwd(), before you import the application."), "2.2"),
    "port_is_text": Cause(
        r"'str' object cannot be interpreted as an integer|an integer is required",
        "the port is text", (),
        ("What stands in the environment is text. What does bind want?",
         "A number: int(os.environ[\"PORT\"])."), "1.1"),
    "bytes": Cause(
        r"bytes-like object is required|can't concat|must be str, not bytes", "text for bytes", (),
        ("A socket carries bytes. What did your server give it?",
         "b\"...\" is bytes, \"...\" is text in Python: text.encode() and data.decode() make one "
         "of the other."), "1.4"),
    "no_text": Cause(
        r"UnicodeDecodeError|codec can't decode|invalid byte sequence|incompatible character encod",
        "these bytes are no text", (),
        ("A client may send any bytes. Which line of yours believes that they are text?",
         "Say what is to become of bytes that are none: in Python "
         "request.decode(\"ascii\", \"backslashreplace\")."), "1.5"),
    "no_request": Cause(
        r"values to unpack|list index out of range|index out of range \[",
        "a line has fewer words than expected", (),
        ("Your server takes a request apart. What if the parts are not there?",
         "A client may send nothing at all, or one word, or five. Count them before you use them, "
         "and answer or close."), "1.5"),
    "client_gone": Cause(
        r"BrokenPipeError|ConnectionResetError|write EPIPE|read ECONNRESET|EPIPE: |ECONNRESET: ",
        "the client was gone", (),
        ("A client left in the middle. Which calls on its connection can fail then?",
         "Reading and writing can, and so can shutdown. One client's failure must end that "
         "client's business, and nobody else's: where does the error go?"), "4.6"),
    "not_allowed": Cause(
        r"Cannot start .*Permission denied", "it may not be executed", (),
        ("The file may not be executed: chmod +x FILE makes that so. Or name the program that runs "
         "it: SERVER='node my/server.js'.",), None),
    "not_there": Cause(
        r"Cannot start .*No such file", "it is not there", (),
        ("There is no such file. The command is started in the project's folder, so that a server "
         "in my/ is ./my/a.out. If you have changed it, has it been compiled?",), None),
}


def cause_of(bad, asked):
    """The name of the first Cause that fits what was seen in the first of some bad Results, or
    what the server said meanwhile; None if none does. `asked` is names of questions."""
    if not bad or not bad[0].fault:
        return None
    said = f"{bad[0].fault.seen}\n{bad[0].fault.said}"
    return next((name for name, cause in CAUSES.items()
                 if (not cause.asked or asked & {*cause.asked}) and re.search(cause.pattern, said)),
                None)
