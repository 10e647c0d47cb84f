"""Four questions to a concurrent WSGI server, and applications to ask them with.

A reader's server is asked the same as ours: check_server([python, "my/webserver3h.py"]).
"""

import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import lab
from lab.loops import living
from lab.server import PROJECT

SLOW = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW_APPLICATION = """
import time

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.6)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"here you are"]
"""


@contextmanager
def serving(command, application, **options):
    """Start a WSGI server for the length of a with block; yields the lab.Server.

    command      of a server that wants an application, as a list; or the name of a stage
    application  "module:callable", or the text of a module that has an app
    """
    if isinstance(command, str):
        command = lab.stage_command(command)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # a server with a user id of its own is to read it, too
        if "\n" in application:
            Path(folder, "given.py").write_text(application)
            application = "given:app"
        with lab.start([*command, application], PYTHONPATH=folder, **options) as server:
            yield server


def report(done, expected, seen, good):
    print(f"{'yes' if good else 'NO '}  {done}: expected {expected}, saw {seen}")
    return good


def applications_answer(command):
    """Whether the four applications of part 2 answer, and the connection ends."""
    good = True
    for name in ("wsgiapp", "flaskapp", "pyramidapp", "djangoapp"):
        with serving(command, f"part2.{name}:app") as server:
            answer = lab.ask(server.port, timeout=5)
        seen = f"{answer.status} {answer.body}" + ("" if answer.end else ", but no end")
        good &= report(f"{name}, /hello", 200, seen, answer.status == 200 and bool(answer.end))
    return good


def two_slow_take_as_long_as_one(command):
    """Whether the sleeps of two requests overlap; one after the other they take 1.2 s."""
    with serving(command, SLOW_APPLICATION) as server:
        answers = lab.ask_at_once(server.port, 2, SLOW, timeout=5)
    last = max(answer.end or 5 for answer in answers)
    return report("two slow requests", "less than 1.2 s", f"{last:.2f} s", last < 1.2)


def crowd_is_served_and_reaped(command):
    """Whether 60 clients at once are all answered, and none of their children stays."""
    with serving(command, SLOW_APPLICATION) as server:
        answers = lab.ask_at_once(server.port, 60, timeout=2)
        lab.ask(server.port, SLOW, timeout=2)  # its child ends when the server is back in accept
        lab.eventually(lambda: not lab.children(server.pid), within=1)
        left = len(lab.zombies(server.pid))
    answered = sum(answer.status == 200 for answer in answers)
    served = report("60 clients at once", "60 answered", answered, answered == 60)
    return report("after them", "0 zombies", left, left == 0) and served


def stop_in_the_middle(command, signum):
    """Send a server a signal while two slow requests are in flight.

    Returns how many of the two are answered, and how many processes are left when the server has
    ended. Raises lab.ServerError if it does not end.
    """
    with serving(command, SLOW_APPLICATION) as server, ThreadPoolExecutor() as pool:
        crowd = pool.submit(lab.ask_at_once, server.port, 2, SLOW, timeout=5)
        time.sleep(0.3)  # both are in flight
        os.kill(server.pid, signum)
        server.wait_until_dead(8)
        lab.eventually(lambda: not living(server), within=0.1)  # to be killed takes a moment
        left = living(server)
        return sum(answer.status == 200 for answer in crowd.result()), len(left)


def stops_when_all_are_served(command):
    """Whether Ctrl-C and kill let requests in flight come to their end, and leave no process."""
    good = True
    for signum in (signal.SIGINT, signal.SIGTERM):
        answered, left = stop_in_the_middle(command, signum)
        said = f"{signum.name}, two slow requests in flight"
        good &= report(said, "2 answered", answered, answered == 2)
        good &= report("after it", "0 processes left", left, left == 0)
    return good


def ask_behind_a_silent_crowd(stage, *arguments):
    """A client that asks a stage which can have 30 processes, behind 45 clients that say nothing.

    They leave after a second. Returns the lab.Answer, and the last line of the server's stderr;
    where there can be no such limit, None and a sentence that says why.
    """
    try:
        server = lab.start_stage(stage, *arguments, processes=30)
    except lab.ServerError as reason:
        return None, str(reason)
    with server, ThreadPoolExecutor() as pool:
        os.kill(server.pid, signal.SIGSTOP)  # it finds all of them in its queue
        silent = [lab.connect(server.port) for _ in range(45)]
        asking = pool.submit(lab.ask, server.port)
        time.sleep(0.2)  # time to connect
        os.kill(server.pid, signal.SIGCONT)
        time.sleep(1)
        for connection in silent:
            connection.close()
        return asking.result(), (server.stderr.splitlines() or ["still alive"])[-1]


POINTS = {  # what is asked, in the order of the task
    "applications": applications_answer,
    "side by side": two_slow_take_as_long_as_one,
    "crowd": crowd_is_served_and_reaped,
    "stop": stops_when_all_are_served,
}


def check_server(command):
    """Ask all four, print what was seen; the points that hold, by their names in POINTS."""
    try:
        return [name for name, holds in POINTS.items() if holds(command)]
    except lab.ServerError as reason:
        print("NO ", reason)
        return []


def check_own(stage):
    """check_server for the reader's own server of a stage, if there is one."""
    file = PROJECT / f"my/webserver{stage}.py"
    if file.exists():
        check_server([sys.executable, str(file)])
    else:
        print(f"There is no my/{file.name} yet. make start STAGE={stage} makes it.")
