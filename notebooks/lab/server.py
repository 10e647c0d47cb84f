"""Start any command as a server, keep what it says, and be sure that it ends."""

import itertools
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from lab.kernel import (
    CannotSee,
    eventually,
    holder_of_port,
    holders_of_port,
    listeners,
    listening,
    process,
    thread_count,
)

PROJECT = Path(__file__).resolve().parents[2]
STARTING = threading.Lock()  # who holds it knows that no server is without its guard
MARK = "LAB_SERVER"  # in the environment of all that we start: the number of the server
NUMBERS = itertools.count(1)


class ServerError(Exception):
    """A server did not do what was asked of it; the message says what, and its last output."""


def stage_file(stage):
    """The path of a stage's file: stage_file("3c") is PROJECT/part3/webserver3c.py.

    "my 3c" is the reader's own, PROJECT/my/webserver3c.py. Raises ServerError if there is none of
    that name; it says which stages there are, or how to begin one.
    """
    own = stage.startswith("my ")
    name = stage.removeprefix("my ")
    files = {file.stem.removeprefix("webserver"): file
             for file in PROJECT.glob(f"{'my' if own else 'part?'}/webserver*.py")}
    if name in files:
        return files[name]
    if own:
        raise ServerError(f"There is no my/webserver{name}.py yet: make start STAGE={name}")
    raise ServerError(f"There is no stage {stage!r}. There are: {', '.join(sorted(files))}.")


def stage_command(stage, *arguments, python=sys.executable):
    """The command that runs a stage: stage_command("2", "part2.flaskapp:app")."""
    return [python, str(stage_file(stage)), *arguments]


def free_port():
    """A TCP port that nobody listens on, below those that the kernel gives to clients."""
    while True:
        port = random.SystemRandom().randrange(10240, 32768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def must_be_free(port):
    """Raise ServerError if somebody listens on the port already; it says who, where one can see."""
    if listeners(port):
        holder = holder_of_port(port)
        by = f" by process {holder.pid} ({holder.command})" if holder else ""
        raise ServerError(f"Port {port} is taken{by}. Stop that, or use another port.")


@contextmanager
def undisturbed():
    """Ctrl-C and SIGTERM wait until a with block is over; in the main thread, which heeds them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = []
    handlers = {number: signal.signal(number, lambda number, frame: heard.append(number))
                for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        for number in heard:
            signal.raise_signal(number)


class Output:
    """A file without a name that a server writes to; the text stays when it is closed."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self._text = ""

    def text(self):
        if not self.file.closed:
            size = os.fstat(self.file.fileno()).st_size
            self._text = os.pread(self.file.fileno(), size, 0).decode(errors="replace")
        return self._text

    def after(self, place):
        """The text from that byte on, and the place where it ends: for who reads along."""
        if self.file.closed:
            return "", place
        data = os.pread(self.file.fileno(), 1 << 20, place)
        return data.decode(errors="replace"), place + len(data)

    def close(self):
        self.text()
        self.file.close()


class Server:
    """A command that runs as a server, in a process group of its own.

    Use it as a context manager: on leaving, the whole group ends. It ends as well when the
    process that started it dies without a word (a restarted kernel, say): a shell that reads
    from a pipe of ours sees the end of it then, and kills the group.

    command       list of str, or one str to be split as a shell would
    port, host    what the server finds in PORT and HOST. Unless a port is given, an honest server
                  gets 0, and says which one the kernel chose; others get a free one
    environment   more variables for it, None removes one: start(command, DELAY=0.5)
    files         at most so many open files (RLIMIT_NOFILE), for the server alone
    processes     at most so many more processes (RLIMIT_NPROC), for the server alone; root is
                  not bound by it, so root's server runs under a user id that nobody else has
    cwd           the folder to start it in; the project's own unless given
    honest        whether to believe it when it says that it serves
    inherits      descriptors of ours that it has as well

    What has left the group, as daemons do, is found by the port when it is stopped; the Processes
    that were ended then are its `survivors`.

    Raises ServerError if the port is taken or the command cannot be started.
    """

    def __init__(self, command, *, port=None, host="127.0.0.1", files=None, processes=None,
                 cwd=PROJECT, honest=False, inherits=(), **environment):
        self.command = shlex.split(command) if isinstance(command, str) else list(command)
        self.host, self.honest = host, honest
        if port:
            must_be_free(port)
        self._port = port or (0 if honest else free_port())
        self._stdout, self._stderr = Output(), Output()
        self.survivors, self._mark = [], f"{os.getpid()}-{next(NUMBERS)}"
        given = {"PORT": self._port, "HOST": host, MARK: self._mark, **environment}
        environ = {**os.environ, **{name: str(value) for name, value in given.items()}}
        for name in [name for name, value in given.items() if value is None]:
            del environ[name]
        identity = private_identity() if processes and os.geteuid() == 0 else {}
        self._inherits = inherits
        with STARTING, undisturbed():
            self._start(environ, limited(self.command, files, processes, identity), cwd, identity)

    def _start(self, environ, command, cwd, identity):
        try:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=self._stdout.file,
                stderr=self._stderr.file, start_new_session=True,
                pass_fds=self._inherits, **identity)
        except OSError as error:
            self._stdout.close()
            self._stderr.close()
            raise ServerError(f"Cannot start {shlex.join(self.command)}: {error}.") from None
        self.pid = self.process.pid
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -KILL "-$0" 2>/dev/null', str(self.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    @property
    def stdout(self):
        """What the server wrote to its standard output so far, as text."""
        return self._stdout.text()

    @property
    def stderr(self):
        """What the server wrote to its standard error so far, as text."""
        return self._stderr.text()

    def said_after(self, place, error=False):
        """What the server wrote from that byte of its output (or error output) on, and where that
        ends: (text, place). At most 1 MB at once."""
        return (self._stderr if error else self._stdout).after(place)

    @property
    def port(self):
        """The port that it listens on.

        Raises ServerError if the kernel was to choose it and the server does not say which it is.
        """
        if not self._port and not eventually(self._says_port, 15):
            raise ServerError(f"{shlex.join(self.command)} does not say which port it listens on."
                              f"{self._last_words()}")
        return self._port

    def _says_port(self):
        """The port that the server says it serves on, which is remembered; None if it does not."""
        if found := re.search(r"Serving HTTP on port (\d+) \.\.\.", self.stdout):
            self._port = self._port or int(found[1])
            return int(found[1])
        return None

    @property
    def exit_status(self):
        """None while it runs; then its exit status, or minus the signal that ended it."""
        return self.process.poll()

    def wait_until_ready(self, within=15):
        """Wait up to `within` seconds until a process of the group listens on the port.

        Raises ServerError, with the last output, if it ends before, listens elsewhere, or takes
        too long.
        """
        deadline, polls = time.monotonic() + within, itertools.count(1)

        def listens():  # the kernel's table is slow to read: first hear what the server says
            said = self._says_port()
            if said or self.honest:  # those with workers listen before one of them serves
                return said and (self.honest or said == self._port and self.listens())
            return next(polls) % 8 == 0 and self.listens()

        while not eventually(lambda: self.exit_status is not None or listens(),
                             min(within, 2), 0.02):
            places = listening(self.members())
            if places and self._port and not self.listens():
                raise ServerError(
                    f"{shlex.join(self.command)} listens on "
                    f"{' and '.join(f'{address}:{port}' for address, port in places)}, and not "
                    f"where PORT={self._port} says.{self._last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{shlex.join(self.command)} does not listen on port {self._port} "
                    f"{within} s after it was started.{self._last_words()}")
        if self.exit_status is not None:
            if self.exit_status == 0:
                eventually(self._is_held, 1)  # it may have left a daemon behind, which stop() ends
            raise ServerError(f"{shlex.join(self.command)} ended with status {self.exit_status} "
                              f"before it listened.{self._last_words()}")
        return self

    def listens(self):
        """Whether a listening socket stands on the server's port."""
        return bool(listeners(self.port))

    def wait_until_dead(self, within=15):
        """Wait up to `within` seconds for the server to end by itself; its exit status.

        Raises ServerError if it still runs then.
        """
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise ServerError(f"{shlex.join(self.command)} still runs after {within} s."
                              f"{self._last_words()}") from None

    def members(self):
        """The living and the undead of the server's process group, as a list of PIDs."""
        return [pid for pid in psutil.pids() if _group(pid) == self.pid]

    def _living(self):
        """Those of the group that are no zombies: nothing but their parent's wait ends these."""
        return [pid for pid in self.members() if (seen := process(pid)) and seen.state != "zombie"]

    def stop(self):
        """End the whole group, with SIGTERM at first, with SIGKILL after two seconds.

        Waits for all of it, or a child might hold the port for a moment longer.
        """
        if self._guard.returncode is not None:
            return
        if self.exit_status is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            eventually(lambda: self.exit_status is not None, 2)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        eventually(lambda: not self._living(), 5)
        if self._is_held():
            self._end_survivors()
        self._guard.kill()
        self._guard.communicate()
        self._stdout.close()
        self._stderr.close()

    def _is_held(self):
        """Whether somebody listens on its port, if it has one by now."""
        return self._port and bool(listeners(self._port))

    def _end_survivors(self):
        """End those that listen on the port still, and that were started here: by their mark."""
        for found in list(holders_of_port(self._port)):
            with suppress(psutil.Error):
                survivor = psutil.Process(found.pid)
                if survivor.environ().get(MARK) != self._mark:
                    continue
                for each in [survivor, *survivor.children(recursive=True)]:
                    each.kill()
                self.survivors.append(found)
        eventually(lambda: not any(map(process, [each.pid for each in self.survivors])), 5)

    def _last_words(self):
        words = (self.stdout + self.stderr)[-2000:]
        return f" Its last output:\n{words}" if words else " It printed nothing."


def start(command, *, within=15, tries=3, **options):
    """Start a command as a server, wait until it listens, return the Server.

    Options are those of Server. Raises ServerError if it does not come to listen `within`
    seconds; no process is left then. Where the port was ours to choose and somebody else took it
    meanwhile, another is tried; but there are servers that take their own port twice.
    """
    server = Server(command, **options)
    try:
        return server.wait_until_ready(within)
    except BaseException as error:
        server.stop()
        if server.survivors:
            raise ServerError(f"{error} {left_behind(server)}") from None
        if tries == 1 or "port" in options or "already in use" not in str(error):
            raise
    return start(command, within=within, tries=tries - 1, **options)


def left_behind(server):
    """A sentence on those that had to be ended one by one, when the server was stopped."""
    names = " and ".join(f"{each.pid} ({each.command})" for each in server.survivors)
    return (f"Process {names} went on when all of the server's process group was ended, for it "
            f"has left that, and listened on port {server.port}. It was ended by its PID.")


def start_stage(stage, *arguments, **options):
    """Start one of the project's stages: start_stage("3c", DELAY=0.5)."""
    return start(stage_command(stage, *arguments), honest=True, **options)


def limited(command, files, processes, identity):
    """The command, put behind the limits that a shell's ulimit sets for itself and it."""
    limits = []
    if files:
        limits += ["-n", str(files)]
    if processes:
        if identity:
            command = [readable_python(identity) if command[0] == sys.executable else command[0],
                       *command[1:]]
        else:
            processes += tasks_of(os.getuid())  # the limit counts all that the user runs
        limits += ["-u", str(processes)]
    if not limits:
        return command
    return ["bash", "-c", f'ulimit {" ".join(limits)} && exec "$@"', "bash", *command]


def private_identity():
    """A user id that no process has, as keywords for subprocess.Popen. Root only."""
    taken = {process.info["uids"] and process.info["uids"].real
             for process in psutil.process_iter(["uids"])}
    uid = random.choice([uid for uid in range(60001, 65000) if uid not in taken])
    return {"user": uid, "group": uid, "extra_groups": []}


def readable_python(identity):
    """A Python that this user id may execute, for root's own may live in a closed home.

    Raises CannotSee if there is none.
    """
    for python in [sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]:
        try:
            subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL, check=True, **identity)
            return python
        except (OSError, subprocess.CalledProcessError):
            continue
    raise CannotSee("Root is not bound by RLIMIT_NPROC, and there is no Python here that another "
                    "user may execute. Install one in /usr/bin, or run this as a plain user.")


def tasks_of(uid):
    """How many tasks, processes and threads, a user has."""
    return sum(thread_count(process.pid) for process in psutil.process_iter(["uids"])
               if process.info["uids"] and process.info["uids"].real == uid)


def _group(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
