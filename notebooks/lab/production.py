"""What stands around a server in production: nginx, instances behind it, machines, a load.

    start_nginx      part3/nginx.conf, on ports of its own, in front of the instances that you name
    start_instance   the last server, on an address of its own or on a machine of its own
    machines         hosts in network namespaces: made here, and taken away again
    KeptSocket       a socket that outlives the servers it is handed to, as systemd keeps one
    Load             clients that ask thousands of times, while you kill what you like

Whatever is made here is gone when its with block is left, and also when this process dies without
a word. CannotSee is raised, with a sentence that says what is missing, where something is.
"""

import functools
import http.client
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from lab.kernel import CannotSee, children, eventually, listening
from lab.server import PROJECT, STARTING, Server, ServerError, free_port, stage_command, undisturbed
from lab.server import start as start_server

CONFIGURATION = PROJECT / "part3/nginx.conf"
LAST = "3z"
PACKAGES = {"nginx": "nginx-light", "openssl": "openssl", "uwsgi": "uwsgi-core", "ip": "iproute2",
            "systemd-socket-activate": "systemd"}  # as Debian and Ubuntu call them
Visit = namedtuple("Visit", "client request status size instances seconds")
Outcome = namedtuple("Outcome", "began seconds status body error")


def missing(*programs):
    """A sentence on which of these programs are not installed here; "" if all are."""
    absent = [program for program in programs if not shutil.which(program, path=search_path())]
    if not absent:
        return ""
    packages = " ".join(PACKAGES.get(program, program) for program in absent)
    return (f"{' and '.join(absent)}: not installed here, so this is left out. "
            f"On Debian and Ubuntu: apt install {packages}")


def search_path():
    """PATH, and the folders where programs such as nginx and ip stand, which users may lack."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])


def program(name):
    """The path of a program that is needed. Raises CannotSee if it is not installed."""
    if sentence := missing(name):
        raise CannotSee(sentence)
    return shutil.which(name, path=search_path())


class Kept:
    """What one shell makes, and removes when we let go of it, or are killed: it reads from a pipe
    of ours, and sees the end of it then.

    claim    a shell command that fails if somebody else has that name already
    make     what else is to be done; if it fails, all is removed
    remove   what takes it away again
    Raises CannotSee, with what was said, if it cannot be made.
    """

    def __init__(self, claim, remove, make=":"):
        script = (f"{claim} || exit\n"
                  f"if (set -e; {make}); then echo made; read -r _; fi\n"
                  f"{remove}\n")
        with STARTING, undisturbed():
            self.shell = subprocess.Popen(
                ["/bin/sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            made = self.shell.stdout.readline()
        except BaseException:
            self.remove()
            raise
        if not made:
            raise CannotSee(f"This could not be made here: {self.remove().strip()}")

    def remove(self):
        """Have it removed, and wait until it is; what was said on stderr meanwhile."""
        return "" if self.shell.stdin.closed else self.shell.communicate()[1]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def kept_folder():
    """A folder of our own, as a Kept whose `path` it is."""
    path = Path(tempfile.gettempdir(), f"lab-{os.getpid()}-{random.SystemRandom().getrandbits(32)}")
    name = shlex.quote(str(path))
    kept = Kept(f"mkdir -m 700 {name}", f"rm -rf {name} || {{ sleep 1; rm -rf {name}; }}")
    kept.path = path
    return kept


# nginx


@functools.cache
def certificate():
    """A certificate for localhost, signed by nobody else, and its key: two texts."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"],
            check=True, capture_output=True)
        return [Path(folder, name).read_text() for name in ("certificate.pem", "key.pem")]


def place(instance):
    """Where an instance is, as nginx writes it: a Server's address and port, or the str itself."""
    return instance if isinstance(instance, str) else f"{instance.host}:{instance.port}"


def configuration(instances, port, tls_port, changes=()):
    """The text of part3/nginx.conf for these instances and ports.

    changes   {a text that stands in the file: what stands there instead}
    Raises ServerError if one of these texts is not in the file.
    """
    text = CONFIGURATION.read_text()
    for old, new in dict(changes).items():
        if old not in text:
            raise ServerError(f"{CONFIGURATION.name} has no {old!r}: quote what stands in it.")
        text = text.replace(old, new)
    text = text.replace("listen 127.0.0.1:8080", f"listen 127.0.0.1:{port}")
    text = text.replace("listen 127.0.0.1:8443", f"listen 127.0.0.1:{tls_port}")
    lines = [rf"server {place(instance)}\1;" for instance in instances]
    return re.sub(r"(?<!# )server 127\.0\.0\.1:8888( [^;]*)?;", "\n        ".join(lines), text)


class Nginx(Server):
    """An nginx in front of instances: a Server with a second port for TLS, and an access log.

    instances   Servers, or texts such as "127.0.0.2:8000" and "unix:/run/app.sock"
    changes     {a text of part3/nginx.conf: what stands there instead}
    """

    def __init__(self, instances, changes=()):
        command = [program("nginx"), "-e", "stderr", "-c", "nginx.conf", "-g",
                   "daemon off; pid nginx.pid;" + " user root;" * (os.geteuid() == 0)]
        port, self.tls_port = free_port(), free_port()
        while self.tls_port == port:  # it has happened
            self.tls_port = free_port()
        self.kept = kept_folder()
        try:
            self.folder = self.kept.path
            for name, text in zip(("certificate.pem", "key.pem"), certificate(), strict=True):
                (self.folder / name).write_text(text)
            self.write(instances, port, changes)
            super().__init__([*command, "-p", f"{self.folder}/"], port=port)
        except BaseException:
            self.kept.remove()
            raise

    def write(self, instances, port, changes):
        self.changes = dict(changes)
        text = configuration(instances, port, self.tls_port, changes)
        (self.folder / "nginx.conf").write_text(text)

    def stop(self):
        super().stop()
        self.kept.remove()

    @property
    def workers(self):
        """The PIDs of nginx's own workers."""
        return {child.pid for child in children(self.pid) if child.state != "zombie"}

    def reload(self, instances, changes=None):
        """Go on with these instances instead, as `nginx -s reload` does; changes stay as they were
        unless given. Only new workers let clients in when this returns; the old ones finish what
        they have. Raises ServerError if nginx will not have it."""
        before, said = self.workers, len(self.stderr)
        self.write(instances, self.port, self.changes if changes is None else changes)
        os.kill(self.pid, signal.SIGHUP)
        eventually(lambda: "[emerg]" in self.stderr[said:]
                   or self.workers - before and not listening(before), 15)
        if not self.workers - before or listening(before):
            raise ServerError(f"nginx goes on as before: {self.stderr[said:]}")

    def visits(self):
        """The access log so far: for each request its client, its first line, the status, the size
        of the body, the instances that were asked, in their order, and their seconds."""
        line = re.compile(r'(\S+) "(.*)" (\d+) (\d+) by (.*) in (.*)')
        found = [line.fullmatch(text).groups()
                 for text in (self.folder / "access.log").read_text().splitlines()]
        return [Visit(client, request, int(status), int(size), split(instances),
                      [float(each) for each in split(seconds)])
                for client, request, status, size, instances, seconds in found]


def split(names):
    """What nginx writes of several instances, "a, b" or "a : b", as a list."""
    return [name for name in re.split(r", | : ", names) if name != "-"]


def start_nginx(instances, changes=(), within=15):
    """Start nginx in front of these instances, wait until it listens, return the Nginx.

    Arguments are those of Nginx. Raises ServerError if it does not come to listen."""
    nginx = Nginx(instances, changes)
    try:
        return nginx.wait_until_ready(within)
    except BaseException:
        nginx.stop()
        raise


# Instances, and machines for them


def addresses(count):
    """So many addresses of this machine for instances: 127.0.0.1, 127.0.0.2 and so on where they
    can be used, as on Linux; else 127.0.0.1 for all of them."""
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.2", 0))
    except OSError:
        return ["127.0.0.1"] * count
    return [f"127.0.0.{number}" for number in range(1, count + 1)]


def start_instance(application, *options, at="127.0.0.1", stage=LAST, **more):
    """Start the last server at an address of this machine, or on a Machine; the Server.

    Options are those of the server; others, such as environment, are those of lab.start. It has
    one worker unless --workers is among the options."""
    if "--workers" not in options:
        options = ["--workers", "1", *options]
    command = stage_command(stage, *options, application)
    if isinstance(at, Machine):
        command, at = at.command(command), at.address
    return start_server(command, host=at, honest=True, **more)


class Machine(Kept):
    """A host of its own, with its own network: a namespace, and a cable from here to it.

    name      what `ip netns` calls it, and the end of the cable on this side
    address   its own address; from there ours is `gateway`. They are of 198.18.0.0/15, which is
              meant for such trials (RFC 2544, C.2.2)
    """

    def __init__(self):
        number = random.SystemRandom().randrange(1, 1 << 15)
        self.name, first = f"lab{number}", (198 << 24) + (18 << 16) + 4 * number
        self.gateway, self.address = [dotted(first + end) for end in (1, 2)]
        ip = shlex.quote(program("ip"))
        super().__init__(
            f"{ip} netns add {self.name}",
            make=f"{ip} link add {self.name} type veth peer name eth0 netns {self.name}; "
                 f"{ip} addr add {self.gateway}/30 dev {self.name}; {ip} link set {self.name} up; "
                 f"{ip} -n {self.name} addr add {self.address}/30 dev eth0; "
                 f"{ip} -n {self.name} link set eth0 up; {ip} -n {self.name} link set lo up",
            remove=f"{ip} link del {self.name}\n"
                   f"kill -KILL $({ip} netns pids {self.name}) 2>/dev/null\n"
                   f"{ip} netns del {self.name}")

    def command(self, command):
        """A command, to be run on this machine."""
        return [program("ip"), "netns", "exec", self.name, *command]

    def unplug(self):
        """Pull the cable: nothing gets there any more, and nothing says so."""
        self._cable("down")

    def plug_in(self):
        """Put the cable back."""
        self._cable("up")

    def _cable(self, state):
        """At its end of it: without a cable here, the way there would be that to the world."""
        subprocess.run([program("ip"), "-n", self.name, "link", "set", "eth0", state], check=True)


def dotted(number):
    """An IPv4 address as people write it."""
    return socket.inet_ntoa(number.to_bytes(4, "big"))


@contextmanager
def machines(count):
    """A list of so many Machines, which are gone when the with block is left: make them before the
    nginx that asks them, for then it ends before they do.

    Raises CannotSee where there can be none: they need Linux, root, and ip (iproute2)."""
    if not sys.platform.startswith("linux"):
        raise CannotSee("Network namespaces are Linux's own: here all instances share one machine.")
    program("ip")
    if os.geteuid() != 0:
        raise CannotSee("Only root makes network namespaces: here all instances share one machine.")
    with ExitStack() as stack:
        yield [stack.enter_context(Machine()) for _ in range(count)]


# A socket that stays


class KeptSocket:
    """A socket that listens, and that servers are handed one after the other, as systemd does it:
    LISTEN_FDS and LISTEN_PID, sd_listen_fds(3). While there is no server, clients wait in it.

    path   where its file is to be; without one it is a port of 127.0.0.1
    """

    def __init__(self, path=None):
        if path:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.bind(str(path))
            self.place, self.port = f"unix:{path}", None
        else:
            self.socket = socket.create_server(("127.0.0.1", 0))
            self.port = self.socket.getsockname()[1]
            self.place = f"127.0.0.1:{self.port}"
        self.socket.listen(4096)

    def start(self, application, *options, stage=LAST, **more):
        """Start the last server with this socket in its hands; the Server. Options are as those of
        start_instance, but that it need not serve yet when this returns, if ready=False."""
        ready = more.pop("ready", True)
        hand_over = ("import os, sys; os.dup2(int(sys.argv[1]), 3); "
                     "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); "
                     "os.execv(sys.argv[2], sys.argv[2:])")
        server = Server([sys.executable, "-c", hand_over, str(self.socket.fileno()),
                         *stage_command(stage, *options, application)],
                        inherits=[self.socket.fileno()], honest=True, **more)
        if ready and not eventually(lambda: "Serving HTTP on" in server.stdout
                                    or server.exit_status is not None, 20):
            server.stop()
            raise ServerError(f"It does not serve on the socket: {server.stderr}")
        return server

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()


# A load


class Load:
    """Clients that ask over and over, each on a connection that it keeps, until all of them
    together have made so many requests. They begin when the with block is entered; leaving it
    waits for the end. With requests=None they go on until then. As browsers do, they ask for a page
    again if a kept connection ends at that moment without a word (RFC 9112, 9.3.1); a POST is lost.

    path, method, body, headers   what each request is
    outcomes   of those that are over: when each began and how many seconds it took, the status and
               the body, or the error of one that had no answer
    """

    def __init__(self, port, requests=None, *, clients=16, host="127.0.0.1", path="/hello",
                 method="GET", body=None, headers=()):
        self.port, self.host, self.clients = port, host, clients
        self.asks = {"url": path, "method": method, "body": body, "headers": dict(headers)}
        self.left = iter(range(requests if requests is not None else 1 << 60))
        self.outcomes, self.over = [], threading.Event()
        self.goes_on = requests is None
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        try:
            for thread in self.threads:
                thread.start()
        except BaseException:  # Ctrl-C, for one
            self.over.set()
            raise
        return self

    def __exit__(self, kind, *exception):
        if self.goes_on or kind:
            self.over.set()
        for thread in self.threads:
            thread.join()

    def made(self, count, within=30):
        """Wait until so many requests are over, for `within` seconds; whether they are."""
        return eventually(lambda: len(self.outcomes) >= count, within)

    @property
    def lost(self):
        """The outcomes that are not as they should be: no answer, or a status of 500 or more."""
        return [outcome for outcome in self.outcomes
                if outcome.error or outcome.status >= 500]

    def _run(self):
        with closing(http.client.HTTPConnection(self.host, self.port, timeout=60)) as client:
            for _ in self.left:
                if self.over.is_set():
                    return
                self.outcomes.append(self._ask(client))
                if self.outcomes[-1].error:
                    self.over.wait(0.02)  # where nobody answers any more, it does not race

    def _ask(self, client):
        began, status, body, error = time.monotonic(), None, b"", None
        try:
            status, body = self._converse(client)
        except (OSError, http.client.HTTPException) as caught:
            client.close()
            error = caught
        return Outcome(began, time.monotonic() - began, status, body, error)

    def _converse(self, client):
        kept = client.sock is not None
        try:
            client.request(**self.asks)
            answer = client.getresponse()
        except ConnectionError:
            client.close()
            if not kept or self.asks["method"] not in ("GET", "HEAD"):
                raise
            return self._converse(client)
        return answer.status, answer.read()
