"""The one table of hints: what to think about when a server lacks a property.

For each property two or three hints, the weakest first; to the last one the section of a notebook
is added. A hint for one stage alone stands under "stage name"; one for a fault that ought to show
under "show name". {server} in a command of SEE is the command of the reader's server.
"""

import re

import lab

ASK = "curl -m 5 127.0.0.1:8888/hello"
CHILDREN = "ps -o pid,ppid,stat,args --ppid $!"
SILENT = "exec 3<>/dev/tcp/127.0.0.1/8888"  # bash: opens a connection that says nothing

SEE = {  # how a reader sees it himself: put between "{server} & sleep 1;" and "kill $!"
    "starts": "ss -ltnp | grep $!",
    "answers": "curl -v -m 5 127.0.0.1:8888/hello",
    "survives_silent_client": f"bash -c ': <>/dev/tcp/127.0.0.1/8888'; {ASK}",
    "survives_garbled_client": f"bash -c 'echo nonsense >/dev/tcp/127.0.0.1/8888'; {ASK}",
    "survives_vanishing_client": f"bash -c 'printf GET >/dev/tcp/127.0.0.1/8888'; {ASK}",
    "serves_while_another_waits": f"bash -c '{SILENT}; {ASK}'",
    "ends_the_connection": f"{ASK}; ls -l /proc/$!/fd",
    "keeps_descriptor_count": f"for i in 1 2 3 4; do {ASK}; done; ls -l /proc/$!/fd",
    "lives_on_256_descriptors":
        "(ulimit -n 256; exec {server}) & sleep 1; python3 part3/client3.py --max-clients 300",
    "leaves_no_zombie_after_one": f"{ASK}; sleep 1; {CHILDREN}",
    "leaves_no_zombie_after_128":
        f"python3 part3/client3.py --max-clients 128; sleep 1; {CHILDREN}",
    "lives_through_signal": f"{ASK}; sleep 1; {ASK}",
    "lives_without_processes": f"ulimit -u 400; python3 part3/client3.py --max-clients 500; {ASK}",
    "runs_wsgi": "curl -v -m 5 127.0.0.1:8888/hello",
    "complete_pep3333": "curl -v -m 5 -d body -H 'X-Probe: 1' '127.0.0.1:8888/a%20b?c=d%20e'",
    "keeps_alive": "curl -v -m 5 127.0.0.1:8888/hello 127.0.0.1:8888/hello",
    "holds_5000_idle": f"python3 part3/client3.py --max-clients 5 --max-conns 1000; {ASK}",
    "queues_five": "ss -ltn 'sport = :8888'",
    "sleeps_after_answer": f"time {ASK}",
    "sleeps_side_by_side": f"time ({ASK} & {ASK} & wait)",
    "a_process_for_each": f"bash -c '{SILENT}; sleep 1; ps -o pid,ppid,stat,args --ppid '$!",
    "gives_the_port_back": f"bash -c '{SILENT}; sleep 1; kill -9 $0; sleep 1; "
                           "ss -ltnp sport = :8888' $!",
    "answers_bursts": "for i in 1 2 3 4 5 6 7 8 9; do python3 part3/client3.py --max-clients 5; "
                      f"done; {ASK}",
    "no_process_for_each": f"bash -c '{SILENT}; sleep 1; ps -o pid,ppid,stat,args --ppid '$!",
    "a_thread_for_each": f"bash -c '{SILENT}; sleep 1; ps -o pid,nlwp,args -p '$!",
    "serves_beside_forty": f"python3 part3/client3.py --max-clients 40 & sleep 1; {ASK}",
    "threads_end": "python3 part3/client3.py --max-clients 40; sleep 1; "
                   "ps -o pid,nlwp,args -p $!",
    "forks_for_clients_only": f"{ASK}; sleep 1; grep voluntary /proc/$!/status",
    "sleeps_until_told": "grep -E 'Sig(Blk|Ign|Cgt)|voluntary' /proc/$!/status; sleep 5; "
                         "grep voluntary /proc/$!/status",
    "sends_long_answers": "(export TIMES=1000000; exec {server}) & sleep 1; "
                          "curl -s --limit-rate 10M 127.0.0.1:8888/hello | wc -c",
    "reaps_when_told": f"{ASK}; sleep 1; {CHILDREN}",
    "waits_for_the_dead_only": f"bash -c '{SILENT}; {ASK}; sleep 1; {ASK}'",
    "workers_in_advance": CHILDREN,
    "replaces_a_worker": f"{CHILDREN}; pkill -KILL -o -P $!; sleep 1; pkill -KILL -o -P $!; "
                         f"sleep 1; {CHILDREN}",
    "ends_its_children": f"bash -c '{SILENT}; sleep 1; kill $0; sleep 8; "
                         "ps -eo pid,ppid,pgid,args | grep $0' $!",
    "listens_on_host_only": "ss -ltn 'sport = :8888'",
    "idles": "sleep 5; ps -o pid,time,args -p $!",
    "says_port_is_taken": "{server}",
    "starts_again": f"{ASK}; kill $!; {{server}}",
    "stops": "kill $!; sleep 1; ps -o pid,stat,args -p $!",
}
DELAYED = {"sleeps_after_answer", "sleeps_side_by_side"}

NO_FORK = ("Go, Java and Node.js have no fork. In one of these pass the stages from 3c to 3h over: "
           "make check STAGE=3i, or 3k.")

HINTS = {
    "starts": [
        "Read what was seen: did it end, does it wait for something before it listens, or does "
        "it listen somewhere else?",
        "PORT and HOST stand in its environment, as text: os.environ in Python, process.env in "
        "Node.js, getenv in C. The port is another one each time it is started.",
        "It begins to listen after the calls socket, bind and listen, and goes on for ever: accept "
        "stands in a loop.",
        "1.1"],
    "answers": [
        "Some calls a server makes once: socket, bind, listen. Others it makes for each client: "
        "accept, recv, sendall, close. Which of yours stand in a loop?",
        "Which socket do you read from and write to: the listening one, or the one that accept "
        "returned? And is all of the answer sent before anybody closes the connection?",
        "The answer is b\"HTTP/1.1 200 OK\\r\\n\\r\\nHello, World!\\n\": a status line, an empty "
        "line, the body.",
        "1.4"],
    "survives_silent_client": [
        "Some clients connect and say nothing; browsers do. What does reading give you when the "
        "client has closed?",
        "At the end of a connection recv returns no bytes at all, and that is no error. Follow an "
        "empty request through your program: which line expects that something is in it?",
        "1.1"],
    "survives_garbled_client": [
        "A client may send any bytes. Which line of yours believes that they are text, or a "
        "request?",
        "Decoding may fail, and so may splitting a line in three. Say what is to happen then: the "
        "print can replace what it cannot show, the server can answer 400.",
        "1.5"],
    "survives_vanishing_client": [
        "A client may be gone before it has its answer. Which calls on its connection can fail "
        "then?",
        "recv and sendall raise (in C: return -1) when the client has reset the connection; the "
        "second write to a closed one may also send SIGPIPE in C. One client's failure must end "
        "that client's business, and nobody else's: where does your error go?",
        "3.9"],
    "serves_while_another_waits": [
        "Three clients are connected, and the last one asks first. Where does your server sleep "
        "just then, and for whom does it wait?",
        "The one that accepts must never wait for a single client: not in recv, not in a sleep, "
        "not in a wait for a child that still serves somebody.",
        "Look at all that stands in the loop after accept, in the process that accepts. A wait "
        "without WNOHANG, or a recv, holds up everybody.",
        "3.10"],
    "ends_the_connection": [
        "The client has its answer, and waits for the end. Who has still got the connection open?",
        "There is no Content-Length, so that the body ends where the connection does. The kernel "
        "sends FIN when the last descriptor of a connection is closed: count them.",
        "After a fork two processes hold it. A child that never ends, or a parent that never "
        "closes, keeps it open.",
        "3.11"],
    "keeps_descriptor_count": [
        "Each client costs your server a descriptor that it never gets back. Which one is it?",
        "List /proc/PID/fd before and after. What grows are sockets: connections that were "
        "accepted, and not closed in this process.",
        "3.12"],
    "lives_on_256_descriptors": [
        "300 clients came one after another, and at no moment were there more than a few. Still "
        "the descriptors ran out.",
        "Something stays open for each client. Mend \"keeps its descriptor count\" first.",
        "3.12"],
    "leaves_no_zombie_after_one": [
        "A child that ended stays in the process table until somebody asks how it ended. Who?",
        "Only the parent can wait for it. When does the kernel tell it that there is something to "
        "wait for?",
        "SIGCHLD is sent at a child's end: have a handler that waits. Was it set before the first "
        "client came?",
        "3.18"],
    "leaves_no_zombie_after_128": [
        "One child at a time is reaped, 128 at once are not. How many times does your handler "
        "run then?",
        "Signals do not queue: one pending SIGCHLD stands for one dead child or for a hundred. "
        "How many children does one run of your handler wait for?",
        "Wait until there is none left, and do not sleep when there are only living ones: "
        "waitpid(-1, WNOHANG), in a loop with two ways out.",
        "3.22"],
    "lives_through_signal": [
        "Look at the last words of your server. Which call was interrupted, and by whom?",
        "A child ended, SIGCHLD came, and the handler ran in the middle of accept. What does "
        "accept do after that? It depends on the language.",
        "EINTR says: nothing is wrong, call again. What has a handler of yours raised, if it was "
        "not that?",
        "3.20"],
    "lives_without_processes": [
        "The system would give the server no more processes (or threads). What did it do?",
        "A call for a new process or thread can fail, with EAGAIN. Close that client's "
        "connection, or let it wait, and go on.",
        "3.15"],
    "runs_wsgi": [
        "WSGI is an interface of Python: the server calls application(environ, start_response). "
        "A server in another language passes this stage over.",
        "The name of the application is the first argument, module:callable. Import it from the "
        "folder that the server was started in, then call it for each request.",
        "The status and the headers come by start_response, the body as an iterable of bytes. "
        "Send them in that order, then close.",
        "2.8"],
    "complete_pep3333": [
        "The application names what it missed. Look each of these words up in PEP 3333.",
        "Path and query part at the question mark, the path is percent-decoded; each header "
        "becomes HTTP_NAME; wsgi.input gives the body, and no more than Content-Length.",
        "start_response returns write(), takes exc_info, and what the application returned is "
        "closed at the end, if it has a close().",
        "2.9"],
    "keeps_alive": [
        "In HTTP/1.1 a connection stays open after an answer, unless one of the two says "
        "Connection: close.",
        "How does the client know where the first answer ends, if not by the end of the "
        "connection? Content-Length, or chunks.",
        "3.31"],
    "holds_5000_idle": [
        "5,000 clients connect and are silent, then another one asks. What does each of the "
        "silent ones cost?",
        "A process or a thread for each is too much. One process can ask the kernel which of all "
        "its sockets have something to say: select, poll, epoll. Make them non-blocking.",
        "Is the queue long enough for a crowd, is the limit of descriptors?",
        "3.28"],
    "queues_five": [
        "Your server is busy with one client. Who takes in those that connect meanwhile?",
        "The kernel does, as many as you allowed it to hold. Which call says how many?",
        "3.7"],
    "sleeps_after_answer": [
        "DELAY stands in the environment of your server, as text. When does it sleep, and what is "
        "open then?",
        "First the whole answer, then the sleep, then the end of the connection: in this order.",
        "3.2"],
    "sleeps_side_by_side": [
        "Two clients, one second of sleep each. Who sleeps: the one that has to accept the next "
        "client, or somebody else?",
        "The sleep belongs to the one that serves the client, after its answer: the child, the "
        "thread, the worker. The one that accepts does not sleep.",
        "3.10"],
    "a_process_for_each": [
        "fork is called once and returns twice. Where, in the life of a connection, do you call "
        "it? " + NO_FORK,
        "Right after accept, before anything is read: three silent clients mean three children.",
        "0 is returned in the child, which serves that client and then exits: it must not come "
        "back to accept. The parent closes its copy and goes on.",
        "3.8"],
    "gives_the_port_back": [
        "The server is killed, and a child goes on with its client. The kernel closes what the "
        "dead one had open: is nobody else left who listens?",
        "After fork the child has a copy of the listening socket, too. It accepts nobody: let it "
        "close its copy before it does anything else.",
        "3.9"],
    "answers_bursts": [
        "Five clients come at once, and their children end at once, some of them before fork has "
        "returned in the parent. Look at the last words of your server.",
        "A handler runs at any moment: between fork and the next line of yours as well. What does "
        "it take for granted that your loop has not done yet?",
        "A list that both the handler and the loop change is not to be trusted: remove what may "
        "not be in it yet without complaint, or block SIGCHLD until the PID is noted.",
        "3.21"],
    "serves_beside_forty": [
        "Forty clients are connected, and silent. Then one comes that asks. Who serves it?",
        "A pool has so many threads and no more; when each of them waits for a silent client, the "
        "next one waits for a thread. Here each connection gets a thread of its own.",
        "3.26"],
    "threads_end": [
        "The clients have left. What do the threads do that served them?",
        "A thread ends when its function returns. Which call in it waits for what never comes?",
        "3.26"],
    "forks_for_clients_only": [
        "A child ended, and accept failed with EINTR. What does your loop do next, and with which "
        "client?",
        "After EINTR there is no client: go back to accept (continue), before fork is reached.",
        "3.20"],
    "sleeps_until_told": [
        "Nothing happens, and the parent has nothing to do. Who tells it that a child has ended?",
        "To ask again and again, in a loop or a thread of its own, is too late for some and a "
        "waste for others; and to ignore SIGCHLD is to learn of no child how it ended.",
        "Have a handler for SIGCHLD that calls waitpid, and let accept wait without a limit.",
        "3.18"],
    "sends_long_answers": [
        "The client reads slowly, and the kernel has room for a part of your answer only. What "
        "becomes of the rest?",
        "On a socket that does not block send returns how many bytes it took. Keep the others, "
        "and wait until the selector says that the socket takes more.",
        "TIMES says how many times Hello, World! is to be said: once, if it is not set.",
        "3.29"],
    "no_process_for_each": [
        "A process came with each client. This stage does without.",
        "What did the child do that a thread could not do? Both can sleep in recv while the "
        "others go on.",
        "3.26"],
    "a_thread_for_each": [
        "After accept somebody has to serve that client, and somebody has to go back to accept.",
        "Start a thread for each connection, before anything is read from it. It closes the "
        "connection: there is only one copy now.",
        "3.26"],
    "reaps_when_told": [
        "A child has ended, and nobody has asked how. The kernel sends its parent a signal then: "
        "which one, and who listens to it?",
        "Set a handler for SIGCHLD before the first client comes. The handler calls wait.",
        "3.18"],
    "waits_for_the_dead_only": [
        "One child has ended and another still serves its client. What does your handler do about "
        "the second?",
        "A wait that finds only living children sleeps until one of them ends, and while a handler "
        "runs, nobody accepts. WNOHANG makes waitpid return 0 instead: that is a way out of the "
        "loop, and the other one is that there are no children at all.",
        "3.22"],
    "workers_in_advance": [
        "Here nothing is forked for a client. When is it, then?",
        "Listen first, then fork the workers: each of them has the listening socket, and calls "
        "accept on it. The kernel gives a client to one of them. What does the parent do?",
        "Two workers are enough: as many clients as there are workers are served at once.",
        "3.27"],
    "replaces_a_worker": [
        "A worker was killed. Who notices?",
        "The parent has nothing else to do: it waits for a child's end, and forks another. Does "
        "it wait again after that, and for each of two that died at once?",
        "3.27"],
    "listens_on_host_only": [
        "To bind to 0.0.0.0, to :: or to no address at all is to let the whole network in.",
        "HOST in the environment names the address, 127.0.0.1 if it is not set. Give it to bind, "
        "beside the port.",
        "1.2"],
    "idles": [
        "Your server is busy while there is nothing to do. Which loop of yours never sleeps?",
        "A call that does not block (accept, recv, waitpid with WNOHANG) in a loop asks the "
        "kernel a million times. Let one blocking call wait: accept, recv, or select.",
        "1.1"],
    "says_port_is_taken": [
        "Somebody else may have the port. Which call tells you, and what does your user see then?",
        "bind fails. Print one line that names address and port, and exit with status 1.",
        "1.1"],
    "starts_again": [
        "The port is still in use, though the server has stopped. By whom?",
        "The last connection stays in the kernel for a minute (TIME_WAIT). Set SO_REUSEADDR on "
        "the listening socket, before bind.",
        "1.1"],
    "stops": [
        "Ctrl-C is SIGINT, kill sends SIGTERM. What does your server do with them?",
        "By default both end a process at once; a Python program turns SIGINT into "
        "KeyboardInterrupt, with a traceback. Ctrl-C reaches the children too, for they are of "
        "one group: leave it its default there, or let them end of it.",
        "If a handler of yours only sets a flag, accept goes on by itself after it, and nobody "
        "looks at the flag.",
        "3.16"],
    "ends_its_children": [
        "kill reaches the parent alone. What becomes of its children when it ends?",
        "Somebody has to end them: keep their PIDs, and wait for those that serve a client, but "
        "not for ever. Then kill them.",
        "A handler that closes the listening socket makes accept fail at once: a way out of the "
        "loop, and nobody is cut off on it. If SIGCHLD has a handler that waits, the two get "
        "into each other's way: set SIGCHLD back to its default before you wait yourself, and "
        "kill nobody whom waitpid(pid, WNOHANG) does not call one at work.",
        "3.17"],

    "show serves_while_another_waits": [
        "Your server serves the second client while the first is silent. That is more than this "
        "stage is about: here one is served, the others queue.",
        "Take the thread, the process or the event loop out: accept, read, answer, close, and "
        "only then the next accept. In Node.js nothing waits like that: go on with 3k.",
        "3.1"],
    "show ends_the_connection": [
        "Here the fault is the lesson: a client has its answer, and never the end.",
        "The child closes its copy by ending. Which other copy is there, and which line of 3c "
        "closes it?",
        "3.11"],
    "show keeps_descriptor_count": [
        "The parent is to keep what it accepted. Does it?",
        "Many languages close a socket as soon as nobody refers to it any more; C does not.",
        "3.12"],
    "show lives_on_256_descriptors": [
        "The server has 256 descriptors and 300 clients, one after another, and lives. It has "
        "got rid of most of the connections.",
        "In Python a socket is closed when its last name is bound to something else, as happens "
        "at the next accept. Keep every connection in a list, and see it die. Let it say of "
        "what: the error of accept, as text.",
        "3.12"],
    "show leaves_no_zombie_after_one": [
        "At this stage nobody waits for the children yet, and one sees what becomes of them when "
        "they end. If they do end.",
        "Take the wait, the SIGCHLD handler or SIG_IGN out: they come in 3e.",
        "3.13"],
    "show leaves_no_zombie_after_128": [
        "Your server reaps 128 children that ended at once. That is more than this stage is "
        "about: it loses most of them.",
        "Let the handler wait once for each signal, as one would at first. How many zombies "
        "stay? The loop comes in 3g.",
        "3.21"],
    "show lives_through_signal": [
        "accept went on after the signal. In C it would have failed, with EINTR.",
        "Our 3e calls the C library's accept through ctypes, to show it.",
        "3.19"],
}


def hints(question):
    """The hints for a question of grading.py, the weakest first."""
    key = f"show {question.name}" if question.kind == "show" else question.name
    *texts, claim = HINTS[key]
    return [*texts[:-1], f"{texts[-1]} Read {section(claim)}."]


def section(claim):
    """Where a claim is explained: "notebooks/3_4_zombies.ipynb, section 3.13"; None if nowhere."""
    heading = re.compile(rf'"## (?:[\d.]+, )*{re.escape(claim)}[, ]')
    for path in sorted((lab.PROJECT / "notebooks").glob("*.ipynb")):
        if heading.search(path.read_text()):
            return f"notebooks/{path.name}, section {claim}"
    return None


def see(name, stage, command):
    """A line for a shell that shows a property of the reader's server, started by a command."""
    line = SEE[name] if SEE[name].startswith("(") else f"{{server}} & sleep 1; {SEE[name]}"
    if "DELAY" in stage.source():
        command = f"DELAY={3 if name in DELAYED else 0} {command}"
    if stage.wsgi:
        application = "tests.spec.pep3333app" if name == "complete_pep3333" else "part2.wsgiapp"
        command += f" {application}:app"
    line = line.replace("exec {server}", "exec env {server}")  # for a DELAY in front of it
    return f"{line}; kill $!".replace("{server}", command)
