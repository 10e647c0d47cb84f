"""The one table of hints: what to think about when a server lacks a property.

For each question two or three hints, the weakest first, and where to read: a section of a chapter,
or a file. They use no word that a reader learns after the first stage that is asked the question.
A hint on a fault that ought to show stands under "show name".
"""

import functools
import json
import re

import lab
from tests.grader.causes import CAUSES

NO_FORK = ("Go, Java and Node.js have no fork. In one of these pass the stages from 3c to 3h over: "
           "make check STAGE=3i, or 3k.")

HINTS = {
    "starts": [
        "Read what was seen: did it end, does it wait for something before it listens, or does "
        "it listen somewhere else?",
        "PORT and HOST stand in its environment, as text: os.environ in Python, process.env in "
        "Node.js, %ENV in Perl, getenv in C, where atoi makes a number of the port and htons "
        "puts its bytes in order. The port is another one each time the server is started.",
        "It begins to listen after the calls socket, bind and listen, and goes on for ever: "
        "accept stands in a loop.",
        "1.1"],
    "accepts": [
        "The kernel has let the client in, on its own: it stands in the queue of your listening "
        "socket. Which call takes it out?",
        "accept waits for a client, and returns a socket that is new: the connection with this "
        "one client.",
        "1.4"],
    "reads": [
        "A client is connected before it asks. Which call of yours waits for its question, on "
        "which of your two sockets?",
        "recv, on the socket that accept returned, waits until something comes. Read before you "
        "answer: what is still unread when you close turns the end into a reset, and the client "
        "may lose its answer. A browser asks with 500 bytes and more.",
        "4.4"],
    "goes_on": [
        "Some calls a server makes once: socket, bind, listen. Others it makes for each client: "
        "accept, recv, sendall, close. Which of yours stand in a loop?",
        "What does your server do when it has answered one client: does it come back to accept, "
        "with its listening socket still open?",
        "1.4"],
    "answers": [
        "What came, byte by byte, is not what was expected. Look at what stands between the "
        "status line and the body, and at both ends of it all.",
        "Which socket do you write to: the listening one, or the one that accept returned? Is all "
        "of the answer sent, and not a byte more? In C sizeof counts the NUL at the end of a "
        "text, and of a pointer it is 8: strlen counts the text. If you send a Content-Length, "
        "count the bytes of the body.",
        "The answer is b\"HTTP/1.1 200 OK\\r\\n\\r\\nHello, World!\\n\": a status line, an empty "
        "line, the body.",
        "1.4"],
    "survives_silent_client": [
        "Some clients connect and say nothing; browsers do. What does reading give you when the "
        "client has closed?",
        "At the end of a connection recv returns no bytes at all, and that is no error. Follow "
        "an empty request through your program: which line expects that something is in it?",
        "1.5"],
    "survives_garbled_client": [
        "A client may send any bytes. Which line of yours believes that they are text, or a "
        "request?",
        "Decoding may fail, and so may taking a line apart: say what is to happen then. What "
        "you print can replace what it cannot show. In C what recv gives you is no string: it "
        "has no NUL at its end, and may have one in the middle.",
        "1.5"],
    "survives_vanishing_client": [
        "A client may be gone before it has its answer. Which calls on its connection can fail "
        "then?",
        "recv and sendall raise an error then; in C they return -1. One client's failure must "
        "end that client's business, and nobody else's: where does your error go?",
        "In C and Perl the kernel may end the whole program for writing to a client that is "
        "gone (SIGPIPE). signal(SIGPIPE, SIG_IGN) at the start, in Perl $SIG{PIPE} = 'IGNORE', "
        "makes an error of it like any other.",
        "4.6"],
    "serves_while_another_waits": [
        "Three clients are connected, and the last one asks first. Where does your server sleep "
        "just then, and for whom does it wait?",
        "The one that accepts must never wait for a single client: not for its request, not for "
        "the end of its sleep, not for the end of whoever serves it.",
        "Look at each line that stands in the loop after accept, in the process that accepts. "
        "Could it have to wait? Then somebody else has to do it.",
        "3.10"],
    "ends_the_connection": [
        "The client has its answer, and waits for the end: there is no Content-Length, so that "
        "the body ends where the connection does. Who ends it?",
        "close does, when all of the answer is sent. Is there a way through your program on "
        "which nobody comes to it?",
        "If your server forks, two processes have each connection, and it ends when both have "
        "closed their copy or have ended: {3.9}",
        "1.4"],
    "keeps_descriptor_count": [
        "Each client costs your server a descriptor that it never gets back. Which one is it?",
        "What grows are sockets: connections that were accepted, and not closed in this "
        "process. Look for a way through your program on which nobody closes, such as the one "
        "after an error.",
        "3.12"],
    "lives_on_256_descriptors": [
        "300 clients came one after another, and at no moment were there more than a few. Still "
        "the descriptors ran out.",
        "Something stays open for each client, in the process that ran out. Mend \"keeps its "
        "descriptor count\" first.",
        "3.12"],
    "leaves_no_zombie_after_one": [
        "A child that ended stays in the process table until somebody asks how it ended. Who?",
        "Only the parent can wait for it. When does the kernel tell it that there is something "
        "to wait for?",
        "The kernel sends SIGCHLD at a child's end. Set a handler for it before the first "
        "client comes, and let it wait.",
        "3.18"],
    "leaves_no_zombie_after_128": [
        "One child at a time is reaped, 128 at once are not. How many times does your handler "
        "run then?",
        "Signals do not queue: one SIGCHLD that waits to be delivered stands for one dead child "
        "or for a hundred. How many children does one run of your handler wait for?",
        "Wait until there is none left, and do not sleep when there are only living ones: "
        "waitpid(-1, WNOHANG), in a loop with two ways out.",
        "3.22"],
    "lives_through_signal": [
        "Look at the last words of your server. Which call was interrupted, and by whom?",
        "A child ended, SIGCHLD came, and the handler ran in the middle of accept. What does "
        "accept do after that? It depends on the language.",
        "Where accept fails with EINTR, nothing is wrong: go back and call it again, and do not "
        "go on to what comes after it, for there is no new client. If it was not that, what has "
        "your handler raised?",
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
    "calls_it_anew": [
        "The same answer came twice, from an application that never says the same. When did your "
        "server call it?",
        "Load it once, when the server starts; call it in the loop, once for each request, with "
        "that request's environ.",
        "2.5"],
    "passes_the_head_on": [
        "The application says status and headers. By which call, and what do you keep of it?",
        "start_response is a function of yours: application(environ, start_response). The status "
        "it is given is the text after HTTP/1.1, such as 404 Not Found.",
        "Headers are a list of pairs, and two may have the same name: Set-Cookie does. Send each "
        "on a line of its own, in this order; a dictionary would lose some.",
        "2.7"],
    "sends_every_block": [
        "A body is as many blocks as the application likes. How many of them do you send?",
        "What the application returns can be iterated over, and that is all one knows: a list, a "
        "generator, an object with __iter__. It may have no length and no [0].",
        "Blocks are bytes, and go out as they are, joined without anything between them. A "
        "picture is no text: nothing needs to be decoded.",
        "2.4"],
    "waits_for_start_response": [
        "When you make the head of the response, has the application already called "
        "start_response?",
        "If the application is a generator, to call it runs none of its lines. The first runs when "
        "you ask for the first block: iterate first, make the head after it.",
        "Start with no status at all for each request. An application that never gives one has "
        "failed: that is a 500, not a 200.",
        "2.5"],
    "says_what_was_asked": [
        "The application learns from environ what it was asked. Where do your REQUEST_METHOD and "
        "PATH_INFO come from?",
        "The request line has three words: GET /hello HTTP/1.1. The first is REQUEST_METHOD, the "
        "second PATH_INFO, of this request and of no other.",
        "2.6"],
    "makes_environ_anew": [
        "The application found in environ what it had left there at another request. How often do "
        "you make that dictionary?",
        "An application may change its environ as it likes, and frameworks do. Make a new "
        "dictionary for each request: a function that returns one is the easiest way.",
        "2.6"],
    "fills_environ": [
        "Read what was seen: one entry is missing, or not what PEP 3333 says. Which of the three "
        "sources should it come from: the request, the server, WSGI?",
        "REQUEST_METHOD, PATH_INFO, SERVER_NAME, SERVER_PORT and SERVER_PROTOCOL are text, the "
        "port too. wsgi.version is (1, 0), wsgi.url_scheme is \"http\", wsgi.errors is "
        "sys.stderr, and wsgi.multithread, wsgi.multiprocess and wsgi.run_once are true or false.",
        "wsgi.input is a file of the request's body and of nothing else. Where there is no body it "
        "is at its end at once: io.BytesIO() is such a file, and a socket's file is none, for it "
        "waits for the client.",
        "2.6"],
    "outlives_its_application": [
        "The application raised an exception. Who caught it, and what did the client get?",
        "Catch it around all that the application does, print it, answer 500 Internal Server "
        "Error, and go on with the next client.",
        "The application works in two places: when it is called, and when you ask its iterable "
        "for a block. It can fail in both. If a child serves the client, the child has to end, "
        "whatever happens, and not to come back to accept.",
        "2.8"],
    "sends_it_all": [
        "The client reads slowly, and the answer is larger than what the kernel takes at once. "
        "What becomes of the rest?",
        "send returns how many bytes it has taken; that may be fewer than you gave it. A socket "
        "that does not block fails instead of waiting, when there is no room.",
        "Keep what was not taken. Send it when the socket can be written to again: sendall does "
        "that on a socket that blocks, a loop of your own where it does not.",
        "3.29"],
    "complete_pep3333": [
        "The application names what it missed. Look each of these words up in PEP 3333.",
        "Path and query part at the question mark, the path is percent-decoded; each header "
        "becomes HTTP_NAME; wsgi.input gives the body, and no more than Content-Length.",
        "start_response returns write(), takes exc_info, and what the application returned is "
        "closed at the end, if it has a close().",
        "2.9"],
    "step_2b": [
        "environ has to say all that the head of the request says. What is in the head that your "
        "environ has no entry for?",
        "The target parts at its first question mark: before it PATH_INFO, with %20 turned into "
        "a blank, after it QUERY_STRING, left as it is. A header X-Probe becomes HTTP_X_PROBE: in "
        "capitals, with _ for -. Content-Type and Content-Length have no HTTP_ before them.",
        "2.11"],
    "step_2c": [
        "One recv gives a piece of what was sent, and it may end anywhere: in the head, or in the "
        "body. How do you know that you have all?",
        "Keep what comes in a buffer. Take all up to the empty line, then as many bytes as "
        "Content-Length says; recv until they are there. wsgi.input is a file of these bytes.",
        "2.12"],
    "step_2d": [
        "The application makes its body slowly, and the client could have the first block long "
        "before the last. What do you wait for?",
        "Send each block when you have it, the head before the first. start_response returns a "
        "write(), which does the same with the block that it is given.",
        "2.13"],
    "step_2e": [
        "Three things at the end of PEP 3333: what the application returned may have a close(), "
        "start_response takes exc_info, and a Date is a date. Which of them was missed?",
        "Call close() in a finally, whatever has happened. Called with exc_info once the head is "
        "out, start_response raises exc_info[1]: the application ends of its own error. "
        "email.utils.formatdate(usegmt=True) is the Date.",
        "2.14"],
    "step_2f": [
        "How does a client know that it has the whole body, if not by the end of the connection?",
        "Where the application returns a list, its length is the sum of its blocks: say it in "
        "Content-Length, unless the application has. HEAD gets the same head, and no body.",
        "2.15"],
    "step_2g": [
        "A body without a Content-Length comes in chunks. What does each of them begin with, and "
        "what is the last one like?",
        "A size in hexadecimal, a line end, so many bytes, a line end; size 0 is the last. Put "
        "them together for wsgi.input. Who sends Expect: 100-continue waits for HTTP/1.1 100 "
        "Continue and an empty line before the body.",
        "2.16"],
    "step_2h": [
        "RFC 9112 has a grammar for the head, and what does not match it is no request. What does "
        "yours let in?",
        "The name of a header is a token, without blanks; answer 400 to another. A target may be "
        "http://example.com/a: then the host is example.com and the path /a.",
        "2.17"],
    "step_2i": [
        "Two servers must not read the same bytes in two ways. Which of these could be?",
        "Refuse a request with both a Content-Length and chunks. Refuse to send a header with a "
        "line end in it. Before you close, shut down your side and read what still comes, or the "
        "kernel resets the connection and your answer is lost.",
        "2.18"],
    "step_2j": [
        "A client connects and says nothing, or half of it. How long do you wait?",
        "TIMEOUT in the environment says how many seconds. settimeout makes recv raise "
        "TimeoutError; measure from the beginning of the head, or a byte now and then keeps you "
        "for ever. A head that has begun gets 408 Request Timeout.",
        "2.19"],
    "keeps_alive": [
        "In HTTP/1.1 a connection stays open after an answer, unless one of the two says "
        "Connection: close.",
        "How does the client know where the first answer ends, if not by the end of the "
        "connection? Content-Length, or chunks.",
        "3.31"],
    "holds_5000_idle": [
        "5,000 clients connect and are silent, then another one asks. What does each of the "
        "silent ones cost?",
        "A process or a thread for each is too much. One process can ask the kernel which of "
        "all its sockets have something to say: poll does that, epoll (Linux) and kqueue "
        "(macOS), or in Python selectors. So does select, but for descriptors below FD_SETSIZE "
        "only, which is 1024. Let no call on these sockets block.",
        "Is the queue long enough for a crowd, and the limit of descriptors high enough?",
        "3.28"],
    "queues_five": [
        "Your server is busy with one client. Who takes in those that connect meanwhile?",
        "The kernel does, as many as you allowed it to hold. Which call says how many?",
        "3.7"],
    "sleeps_after_answer": [
        "DELAY stands in the environment of your server, as text: 1, but also 0.05. When does "
        "it sleep, and what is open then?",
        "First the whole answer, then the sleep, then the end of the connection: in this order. "
        "In C sleep takes whole seconds, and usleep millionths of one.",
        "3.2"],
    "sleeps_side_by_side": [
        "Two clients, one second of sleep each. Who sleeps: the one that has to accept the next "
        "client, or somebody else?",
        "The sleep belongs to the one that serves the client, after its answer: the child, the "
        "thread, the worker. The one that accepts does not sleep.",
        "3.10"],
    "a_process_for_each": [
        "fork is called once and returns twice. In the life of a connection, when does its process "
        "begin, and when does it end? " + NO_FORK,
        "Right after accept, before anything is read: three silent clients mean three children.",
        "0 is returned in the child, which serves that client and then exits: it must not come "
        "back to accept. The parent closes its copy and goes on.",
        "3.8"],
    "gives_the_port_back": [
        "The server is killed, and a child goes on with its client. The kernel closes what the "
        "dead one had open: is nobody else left who listens?",
        "After fork the child has a copy of the listening socket, too. It accepts nobody: let it "
        "close its copy before it does anything else.",
        "4.1"],
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
        "A child has ended, and nobody has asked how. The kernel sends its parent a signal "
        "then: which one, and who listens to it?",
        "Set a handler for SIGCHLD, once, before the first client comes. It runs when a child "
        "has ended, and waits for that one.",
        "3.18"],
    "waits_for_the_dead_only": [
        "One child has ended and another still serves its client. What does your handler do "
        "about the second?",
        "A wait that finds only living children sleeps until one of them ends, and while a "
        "handler runs, nobody accepts. How many children have surely ended when it runs once?",
        "One wait for each signal finds one that has ended. Who asks for more must be able to ask "
        "without sleeping: its manual page says what waitpid has for that. If yours asks so, and "
        "is busy: what does waitpid give back when there are only living ones? A loop ends there.",
        "3.22"],
    "workers_in_advance": [
        "Here nothing is forked for a client. When is it, then?",
        "Listen first, then fork the workers: each of them has the listening socket, and calls "
        "accept on it. The kernel gives a client to one of them. What does the parent do?",
        "Two workers are enough: as many clients as there are workers are served at once.",
        "3.27"],
    "replaces_a_worker": [
        "A worker was killed. Who notices?",
        "The parent has nothing else to do: it waits for a child's end, and forks another. And "
        "again, when that one ends.",
        "3.27"],
    "listens_on_host_only": [
        "Who can reach your server depends on the address that bind is given. Which one is "
        "that, and where does HOST come in?",
        "0.0.0.0, :: or no address at all lets the whole network in. HOST in the environment "
        "names the address, 127.0.0.1 if it is not set: give it to bind, beside the port.",
        "1.2"],
    "stays": [
        "For some seconds nobody came, or one came and said nothing; both are usual. Which of "
        "your calls does not want to wait so long?",
        "A time limit on a socket makes accept or recv fail when it is over. That ends one wait, "
        "and not the server: catch it, or wait without a limit.",
        "1.1"],
    "idles": [
        "Your server is busy while there is nothing to do. Which loop of yours never sleeps?",
        "In a loop a call that returns at once, with nothing, asks the kernel a million times. "
        "One call has to wait, until somebody comes or says something. And what does your loop "
        "do when recv returns no bytes, again and again?",
        "1.1"],
    "says_port_is_taken": [
        "Somebody else may have the port. Which call tells you, and what does your user see "
        "then?",
        "bind fails (in Node.js the server has an event \"error\"). Print one line that names "
        "address and port, on standard error, and exit with status 1. In C nobody tells you "
        "unless you look at what bind returns.",
        "1.2"],
    "starts_again": [
        "The port is still in use, though the server has stopped. By whom?",
        "A connection that is over stays in the kernel for a minute, and its port with it "
        "(TIME_WAIT). Set SO_REUSEADDR on the listening socket, before bind.",
        "4.2"],
    "stops": [
        "Ctrl-C and kill ask a program to end. What does yours do when it is asked in the "
        "middle of its waiting, and what does its user see?",
        "Both end a program at once, unless it has said otherwise, and Python does say "
        "otherwise: it makes KeyboardInterrupt of Ctrl-C, a traceback if nobody catches it. "
        "Ctrl-C is for all processes of a program, kill for one.",
        "In Python signal.signal(signal.SIGINT, signal.SIG_DFL) lets Ctrl-C do what it does to "
        "others. A function of your own that is called instead has to end the program itself: "
        "if it only sets a flag, nobody looks at that while accept waits.",
        "part1/webserver1.py"],
    "ends_its_children": [
        "kill reaches the parent alone. What becomes of its children when it ends?",
        "fork has told the parent their PIDs. When it is asked to end, it can ask them, wait "
        "for those that serve a client, but not for ever, and then kill who is left.",
        "If a handler for SIGCHLD waits as well, the two get into each other's way: set SIGCHLD "
        "back to its default first. And a handler that closes the listening socket is a way out "
        "of accept: it fails then.",
        "3.17"],

    "show serves_while_another_waits": [
        "Your server serves the second client while the first is silent. That is more than this "
        "stage is about: here one is served, the others queue.",
        "Take out whatever lets two clients be served at the same time: accept, read, answer, "
        "close, and only then the next accept. In Node.js nothing waits like that: go on with "
        "3k.",
        "3.1"],
    "show ends_the_connection": [
        "Here the fault is the lesson: a client has its answer, and never the end. In your "
        "server somebody still closes its connection.",
        "The child closes its copy by ending. Which other copy is there, and which line of 3c "
        "closes it?",
        "3.11"],
    "show keeps_descriptor_count": [
        "The parent is to keep what it accepted. Does it?",
        "Python and many others close a socket when nothing in the program refers to it any "
        "more: keep each connection in a list. In C it stays open by itself.",
        "3.12"],
    "show lives_on_256_descriptors": [
        "The server has 256 descriptors and 300 clients, one after another, and lives. Either it "
        "has got rid of most of the connections, or it does not look at what accept returns.",
        "Keep every connection in a list, and see it die. Let it say of what: the error of accept, "
        "as text. In C accept returns -1 then, and perror says why; who does not look at that goes "
        "round and round, and forks for nobody.",
        "3.12"],
    "show leaves_no_zombie_after_one": [
        "A child that has ended stays in the list of processes until its parent asks how it "
        "ended: a zombie. Here nobody is to ask. Does your server? Or do its children not end?",
        "A child ends with exit, when its client is served. Take out whatever waits for "
        "children, and whatever tells the kernel that nobody will: that comes later, in 3e.",
        "3.13"],
    "show leaves_no_zombie_after_128": [
        "Your server reaps 128 children that ended at once. That is more than this stage is "
        "about: it loses most of them.",
        "Let the handler wait once for each signal, as one would at first. How many zombies "
        "stay? The loop comes in 3g.",
        "3.21"],
    "show lives_through_signal": [
        "A child's end is to come as a signal, in the middle of accept. Does your server have a "
        "handler for SIGCHLD, set before the first client comes?",
        "In C accept fails then, with EINTR, if sigaction set up the handler and SA_RESTART was "
        "left out; signal() sets that flag. Python's accept calls itself again, and hides the "
        "error: it is enough here that the handler runs and waits for the child. To see accept "
        "fail, call the C library's own, as our 3e does through ctypes.",
        "3.19"],
}


def hints(question):
    """The hints for a question of grading.py, the weakest first."""
    if question.kind == "cause":
        texts, claim = CAUSES[question.name].hints, CAUSES[question.name].claim
    else:
        key = f"show {question.name}" if question.kind == "show" else question.name
        *texts, claim = HINTS[key]
    read = f" Read {section(claim) or claim}.".replace("?.", "?") if claim else ""
    return [with_sections(text) for text in [*texts[:-1], texts[-1] + read]]


def with_sections(text):
    """A text in which {3.9} has become the section that explains this claim."""
    return re.sub(r"\{([\d.]+)\}", lambda found: section(found[1]), text)


def section(claim):
    """Where a claim is explained: 'notebooks/3_2_fork.ipynb, section 4: Who closes it?'; None if
    nowhere. The chapters note their claims down beside the headings."""
    for file, heading, claims in headings():
        if claim in claims:
            number, _, question = heading.partition(". ")
            return f"{file}, section {number}: {question}"
    return None


@functools.cache
def headings():
    """The sections of all chapters, as (file, heading, the claims that are noted down there)."""
    found = []
    for path in sorted((lab.PROJECT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] == "markdown":
                claims = cell["metadata"].get("claims", [])
                for heading in re.findall(r"^## (.*)", "".join(cell["source"]), re.MULTILINE):
                    found.append((f"notebooks/{path.name}", heading, claims))
    return found
