"""Clients of every kind: one that asks, many that ask at once, one that behaves badly."""

import resource
import shutil
import socket
import struct
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass
class Answer:
    """What one client got, and when: times in seconds since it began to connect.

    A time is None if the thing did not happen before the client gave up.
    """

    connected: float | None = None
    first_byte: float | None = None
    end: float | None = None
    data: bytes = b""
    error: OSError | None = None
    last_byte: float | None = None

    def __repr__(self):
        times = [f"{name} after {seconds:.3f} s" if seconds is not None else f"no {name}"
                 for name, seconds in [("connection", self.connected),
                                       ("first byte", self.first_byte), ("end", self.end)]]
        why = f" ({self.error})" if self.error else ""
        return f"Answer: status {self.status}, {', '.join(times)}{why}"

    @property
    def status(self):
        """The status code, such as 200; None if there was no status line."""
        words = self.data.split(b"\r\n")[0].split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else None

    @property
    def headers(self):
        """The headers as a dictionary, names in lower case."""
        lines = self.data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        pairs = [line.partition(":") for line in lines]
        return {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def body(self):
        """All that came after the first empty line, as bytes."""
        return self.data.partition(b"\r\n\r\n")[2]


def connect(port, host="127.0.0.1", timeout=10):
    """A plain socket, connected; every wait on it ends after `timeout` seconds."""
    return socket.create_connection((host, port), timeout)


def ask(port, request=REQUEST, *, host="127.0.0.1", timeout=10, until=None, hang_up=False):
    """Connect, send the request, read until the server closes; an Answer, never an exception.

    Gives up `timeout` seconds after the start; what came until then is in the Answer, and
    error says what happened. With `until`, bytes, it leaves when these have come, and the end
    stays None. hang_up sends FIN after the request, as nc -N does.
    """
    answer, start = Answer(), time.monotonic()

    def now():
        return time.monotonic() - start

    try:
        with connect(port, host, timeout) as connection:
            answer.connected = now()
            send(connection, request, hang_up)
            while True:
                connection.settimeout(max(0.001, timeout - now()))
                block = connection.recv(65536)
                if not block:
                    break
                answer.last_byte = now()
                answer.first_byte = answer.first_byte or answer.last_byte
                answer.data += block
                if until and until in answer.data:
                    return answer
            answer.end = now()
    except OSError as error:
        answer.error = error
    return answer


def send(connection, request, hang_up=False):
    """Send what the server takes: one that has refused already may still have an answer."""
    try:
        connection.sendall(request)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
    except ConnectionError:
        pass


def ask_at_once(port, clients, request=REQUEST, **options):
    """That many clients, each a thread, let go at the same moment; a list of Answers."""
    gate = threading.Barrier(clients)
    answers = [None] * clients

    def run(number):
        gate.wait()
        answers[number] = ask(port, request, **options)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def allow_files(count):
    """Let this process, and those that it starts, have so many open files if the system grants
    them: thousands of clients want descriptors, and most systems give more to whoever asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # the hard limit is root's to raise, and not everywhere
        if 0 <= hard < count:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
            return
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    with suppress(ValueError, OSError):  # macOS has another limit, that it does not tell
        if 0 <= soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def reset(connection):
    """Close a connection as a crash would: with RST instead of FIN. See socket(7), SO_LINGER."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_until(connection, mark):
    """Read until the bytes `mark` have come, or the end; all that was read.

    Raises TimeoutError, with what came, if that takes longer than the connection's timeout.
    """
    data = b""
    while mark not in data:
        try:
            block = connection.recv(65536)
        except TimeoutError:
            raise TimeoutError(f"Waited {connection.gettimeout()} s for {mark!r}; what came is "
                               f"{data!r}.") from None
        if not block:
            break
        data += block
    return data


def type_into_telnet(port, line):
    """What telnet shows when one types a line; a sentence if telnet is not on this machine."""
    if not shutil.which("telnet"):
        return "telnet is not on this machine. Many have nc instead, which does the same."
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(["telnet", "127.0.0.1", str(port)], text=True, **pipes) as telnet:
        telnet.stdin.write(f"{line}\n")
        telnet.stdin.flush()
        return telnet.stdout.read()
