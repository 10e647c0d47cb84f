"""Applications that show what becomes of their process and its threads. Each is named for what it
does."""

import asyncio
import itertools
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from wsgiref.util import shift_path_info

import psutil

from tests.apps import various
from tests.apps.various import plain

NUMBERS = itertools.count(1)
MEETING = threading.Barrier(4)
LOOPS = []


def counts(environ, start_response):
    """The how many-th request to this application it is, in this process."""
    return plain(start_response, str(next(NUMBERS)))


def ticks_until(environ, start_response):
    """Small blocks, until there is a file named as the query says: others have turns meanwhile."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"one "
    deadline = time.monotonic() + 20
    while not Path(environ["QUERY_STRING"]).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{environ['QUERY_STRING']} did not come")
        yield b"tick\n"
        time.sleep(0.002)
    yield b"two"


def begins_and_waits(environ, start_response):
    """Leaves a line on stderr, then waits for a file named as the query says."""
    tell(environ, "begun")
    return various.waits(environ, start_response)


def returns_20_megabytes(environ, start_response):
    body = bytes(20 << 20)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def dozes(environ, start_response):
    time.sleep(1.2)
    return plain(start_response, str(os.getpid()))


def sleeps_for_ever(environ, start_response):
    tell(environ, "hung")
    while True:
        time.sleep(1)


def loops_for_ever(environ, start_response):
    tell(environ, "hung")
    while True:
        pass


def tell(environ, words):
    environ["wsgi.errors"].write(words + "\n")
    environ["wsgi.errors"].flush()


def is_cancelled(environ, start_response):
    raise asyncio.CancelledError("the application was cancelled")


def meets_three_others(environ, start_response):
    """It answers when four requests are in it at once."""
    MEETING.wait(timeout=5)
    return plain(start_response, "met")


def kills_its_child(environ, start_response):
    """How a child ends that it has forked, and sent SIGTERM; killed if it does not mind that."""
    pid = os.fork()
    if pid == 0:
        time.sleep(30)
        os._exit(0)
    return plain(start_response, end_of(pid, lambda: os.kill(pid, signal.SIGTERM)))


def end_of(pid, send):
    """The child is sent SIGTERM when it sleeps, and has two seconds to end of it."""
    time.sleep(0.1)
    send()
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return str(os.waitstatus_to_exitcode(status))
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "it does not mind SIGTERM"


def terminates_its_process(environ, start_response):
    """Process.terminate() as the standard library's multiprocessing has it."""
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
    process.start()
    time.sleep(0.1)
    process.terminate()
    process.join(2)
    ended = str(process.exitcode)
    if process.exitcode is None:
        process.kill()
        process.join()
    return plain(start_response, ended)


def heeds_signals_with_asyncio(environ, start_response):
    """A loop of asyncio that wants to hear of signals takes the wakeup descriptor for itself."""
    loop = asyncio.new_event_loop()
    for signum in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        loop.add_signal_handler(signum, list)
    loop.run_until_complete(asyncio.sleep(0))
    LOOPS.append(loop)
    return plain(start_response, str(os.getpid()))


def leaves_a_thread(environ, start_response):
    """A thread that is no daemon, and sleeps longer than anybody waits."""
    threading.Thread(target=time.sleep, args=(300,)).start()
    return plain(start_response, str(os.getpid()))


def leaves_an_orphan(environ, start_response):
    """A grandchild whose parent has ended; it ends when there is a file named as the query says."""
    subprocess.run(["sh", "-c", '(until [ -e "$0" ]; do sleep 0.05; done) &',
                    environ["QUERY_STRING"]], check=True)
    return plain(start_response, "left")


def says_no_delay(environ, start_response):
    """TCP_NODELAY of each of its process's connections."""
    found = []
    for connection in psutil.Process().net_connections("tcp"):
        if connection.status == psutil.CONN_ESTABLISHED:
            with socket.socket(fileno=os.dup(connection.fd)) as copy:
                found.append(bool(copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
    return plain(start_response, str(found))


def says_what_a_child_sees(environ, start_response):
    """The variables of systemd, and the sockets, that a process has which the application starts,
    though it lets it inherit what can be inherited."""
    program = """if True:
        import os, stat
        from contextlib import suppress
        sockets = []
        for number in range(256):
            with suppress(OSError):
                if stat.S_ISSOCK(os.fstat(number).st_mode):
                    sockets.append(number)
        told = [name for name in os.environ if name.startswith(("LISTEN_", "NOTIFY_"))]
        print(told, sockets, end="")
    """
    return plain(start_response, subprocess.check_output([sys.executable, "-c", program],
                                                         close_fds=False, text=True))


def named(environ, start_response):
    """The application of this module that the path begins with, or various.named()."""
    name = environ["PATH_INFO"].split("/")[1:2]
    application = name and globals().get(name[0])
    if not callable(application):
        return various.named(environ, start_response)
    shift_path_info(environ)
    return application(environ, start_response)
