"""The sheet to print: every line of it is held against the system that it speaks of."""

import base64
import errno
import html
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

import lab
from lab.book import CHAPTERS
from tests.helpers.browser import chromium, needs_chromium
from tests.helpers.scripts import linux_only, needs, output_of

PAGE = CHAPTERS / "to_print.html"
TEXT = PAGE.read_text()
PATIENT = "import time; print(flush=True); time.sleep(60)"
LOCAL = ("127.0.0.1", 0)


def plain(markup):
    """What a reader sees of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


def element(name):
    return re.search(rf'<(pre|table) id="{name}">(.*?)</\1>', TEXT, re.DOTALL)[2]


def rows(name):
    """The rows of a table without its heading, as lists of text."""
    return [[plain(cell) for cell in re.split(r"<td[^>]*>", row)[1:]]
            for row in element(name).split("<tr>") if "<td" in row]


ERRORS = {row[0]: row[1:] for row in rows("errors")}
SIGNALS = {row[0]: row[1:] for row in rows("signals")}
COMMANDS = [html.unescape(command) for row in element("commands").split("<tr>")[1:]
            for command in re.findall("<code>(.*?)</code>", re.split("<td>", row)[1])]


def program(name, port):
    """A program of the sheet, for another port."""
    return html.unescape(element(name)).replace("8888", str(port))


# The programs.

def test_the_server_serves_the_client_and_leaves_no_zombie():
    port = lab.free_port()
    with lab.start([sys.executable, "-c", program("server", port)], port=port) as server:
        with lab.connect(port):  # and is silent: nobody has to wait for its child
            answers = lab.ask_at_once(port, 20)
            assert [answer.body for answer in answers] == [b"Hello, World!\n"] * 20
            shown = output_of(program("client", port))
            assert shown.splitlines()[::2] == ["HTTP/1.1 200 OK", "Hello, World!"]
            assert lab.eventually(lambda: len(lab.children(server.pid)) == 1), "all others"
        assert lab.eventually(lambda: not lab.children(server.pid)), "all are reaped"


@pytest.mark.parametrize("name", ["server", "client"])
def test_the_program_fits_on_the_page(name):
    assert max(map(len, program(name, 8888).splitlines())) < 105


def test_waitpid_says_what_the_sheet_says():
    assert [row[0] for row in rows("waitpid")] == ["(PID, status)", "(0, 0)", "ChildProcessError"]
    assert output_of("""
        import os, signal
        def ended(child, status):
            return status[0] == child, os.waitstatus_to_exitcode(status[1])
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(7)
        print(os.waitpid(-1, os.WNOHANG))
        os.close(writing)
        print(ended(child, os.waitpid(-1, 0)))
        child = os.fork()
        if child == 0:
            signal.pause()
        os.kill(child, signal.SIGKILL)
        print(ended(child, os.waitpid(-1, 0)))
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("none")
    """).splitlines() == ["(0, 0)", "(True, 7)", "(True, -9)", "none"]


# States.

def stat(pid):
    """What ps says of a process: Ss, for example."""
    return subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True,
                          text=True).stdout.strip()


@pytest.fixture
def started():
    """started(program, **options) runs a Python program, and returns when it has printed a line."""
    running = []

    def start(program, **options):
        running.append(subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE,
                                        **options))
        running[-1].stdout.readline()
        return running[-1]
    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(("state", "program", "number"), [
    ("R", "print(flush=True)\nwhile True: pass", None),
    ("S", PATIENT, None),
    ("T", PATIENT, signal.SIGSTOP),
    ("Z", PATIENT, signal.SIGKILL),
])
def test_a_process_is_in_the_state_that_the_sheet_names(started, state, program, number):
    process = started(program)
    if number:
        process.send_signal(number)
    assert state in [row[0] for row in rows("states")]
    assert lab.eventually(lambda: stat(process.pid).startswith(state)), stat(process.pid)
    if state == "T":
        process.send_signal(signal.SIGCONT)
        assert lab.eventually(lambda: stat(process.pid).startswith("S"))


def test_letters_behind_the_state(started):
    """s leads a session, + is in the foreground of a terminal, and l has threads."""
    leads = started(PATIENT, start_new_session=True)
    assert lab.eventually(lambda: stat(leads.pid).startswith("Ss")), stat(leads.pid)
    in_front = output_of("""
        import os, pty, subprocess, time
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("sleep", ["sleep", "60"])
        print(subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True,
                             text=True).stdout)
        os.kill(child, 9)
    """)
    assert "+" in in_front
    if sys.platform.startswith("linux"):
        threads = started("import threading, time\n"
                          "threading.Thread(target=time.sleep, args=[60], daemon=True).start()\n"
                          + PATIENT)
        assert lab.eventually(lambda: "l" in stat(threads.pid)), stat(threads.pid)


def ss(*arguments):
    """What ss prints, without a heading, as lists of words."""
    shown = subprocess.run(["ss", "-tanH", *arguments], capture_output=True, text=True, check=True)
    return [line.split() for line in shown.stdout.splitlines()]


def states(port):
    """The states of all sockets that have to do with a port."""
    return sorted(words[0] for words in ss(f"sport = :{port} or dport = :{port}"))


@pytest.fixture
def listener():
    """A listening socket with a backlog of 1, which holds two."""
    with closing(socket.socket()) as listener:
        listener.bind(LOCAL)
        listener.listen(1)
        yield listener


@needs("ss")
def test_connections_are_in_the_states_that_the_sheet_names(listener):
    address = listener.getsockname()
    port, met = address[1], {"LISTEN"}

    def come_to(*wanted):
        met.update(wanted)
        assert lab.eventually(lambda: states(port) == sorted([*wanted, "LISTEN"])), states(port)

    client = socket.create_connection(address)
    come_to("ESTAB", "ESTAB")  # nobody has accepted
    connection, _ = listener.accept()
    client.close()
    come_to("FIN-WAIT-2", "CLOSE-WAIT")
    connection.close()
    come_to("TIME-WAIT")
    [timer] = [words[-1] for words in ss("-o", f"sport = :{port} or dport = :{port}")
               if words[0] == "TIME-WAIT"]
    seconds = re.match(r"timer:\(timewait,(\d+)sec", timer)
    assert seconds is None or int(seconds[1]) <= 60, timer
    assert seconds or "1min" in timer, timer
    full = [socket.create_connection(address) for _ in range(2)]
    with closing(socket.socket()) as late:
        late.setblocking(False)
        late.connect_ex(address)
        come_to(*["ESTAB"] * 4, "SYN-SENT", "TIME-WAIT")
    for each in full:
        each.close()
    assert met == {row[0] for row in rows("connections")}


@needs("ss")
def test_queues_hold_what_the_sheet_says(listener):
    address = listener.getsockname()

    def queues(state):
        return [words[1:3] for words in ss(f"sport = :{address[1]}") if words[0] == state]

    clients = [socket.create_connection(address) for _ in range(2)]
    assert lab.eventually(lambda: queues("LISTEN") == [["2", "1"]]), "the backlog, and one more"
    connection, _ = listener.accept()
    clients[0].sendall(b"ten bytes!")
    assert lab.eventually(lambda: ["10", "0"] in queues("ESTAB")), queues("ESTAB")
    connection.setblocking(False)
    with suppress(BlockingIOError):
        while connection.send(b"." * 100_000):  # the client does not read: it fills up
            pass
    assert lab.eventually(lambda: max(int(sent) for _, sent in queues("ESTAB")) > 0)
    for each in (connection, *clients):
        each.close()


# Errors and signals.

@linux_only
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_this_number_and_these_names(name):
    number, words, in_python, _ = ERRORS[name]
    assert getattr(errno, name) == int(number)
    assert os.strerror(int(number)) == words
    assert type(OSError(int(number), words)).__name__ == in_python


def too_many_files():
    number = output_of("""
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
        held = []
        try:
            while True:
                held.append(open("/dev/null"))
        except OSError as error:
            print(error.errno)
    """)
    raise OSError(int(number), "")


def interrupted():
    number = output_of("""
        import ctypes, signal
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)  # again, should the first come too early
        libc = ctypes.CDLL(None, use_errno=True)
        libc.pause()
        print(ctypes.get_errno())
    """)
    raise OSError(int(number), "")


def write_to_nobody():
    reading, writing = os.pipe()
    os.close(reading)
    with closing(os.fdopen(writing, "wb", buffering=0)) as file:
        file.write(b"hello?")


def accept_at_once():
    with socket.create_server(LOCAL) as listener:
        listener.setblocking(False)
        listener.accept()


def bind_twice():
    with socket.create_server(LOCAL) as listener, socket.socket() as other:
        other.bind(listener.getsockname())


def close_before_all_is_read():
    with socket.create_server(LOCAL) as listener, \
            socket.create_connection(listener.getsockname()) as client:
        connection, _ = listener.accept()
        client.sendall(b"unread")
        assert connection.recv(6, socket.MSG_PEEK)  # it has come
        connection.close()
        client.recv(1)


def connect_to_nobody():
    socket.create_connection(("127.0.0.1", lab.free_port()))


@pytest.mark.parametrize(("name", "provoke"), [
    ("EINTR", interrupted),
    ("ECHILD", lambda: os.waitpid(os.getpid(), 0)),  # one's own PID is no child's
    ("EAGAIN", accept_at_once),
    ("EMFILE", too_many_files),
    ("EPIPE", write_to_nobody),
    ("EADDRINUSE", bind_twice),
    ("ECONNRESET", close_before_all_is_read),
    ("ECONNREFUSED", connect_to_nobody),
])
def test_an_error_comes_when_the_sheet_says(name, provoke):
    assert name in ERRORS
    with pytest.raises(OSError, match=rf"\[Errno {getattr(errno, name)}\]"):
        provoke()


@linux_only
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_has_this_number(name):
    assert getattr(signal, name) == int(SIGNALS[name][0])


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_does_what_the_sheet_says(started, name):
    number, does = getattr(signal, name), SIGNALS[name][1]
    process = started("import signal\n"
                      "for number in (1, 2, 13, 15, signal.SIGCHLD):\n"
                      "    signal.signal(number, signal.SIG_DFL)\n" + PATIENT)
    if does == "lets it go on":
        process.send_signal(signal.SIGSTOP)
        assert lab.eventually(lambda: stat(process.pid).startswith("T"))
    process.send_signal(number)
    if does == "ends the process":
        assert process.wait(20) == -number
    elif does == "stops the process":
        assert lab.eventually(lambda: stat(process.pid).startswith("T"))
    else:
        assert does in ("lets it go on", "does nothing")
        assert lab.eventually(lambda: stat(process.pid).startswith("S"))
        process.terminate()
        assert process.wait(20) == -signal.SIGTERM, "it was alive until then"


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_can_be_caught_unless_the_sheet_says_no(name):
    script = f"import signal; signal.signal(signal.{name}, print)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert bool(ended.returncode) == ("no handler is possible" in SIGNALS[name][2])


# Commands.

SHOWN = {  # what each command shows of stage 3c while a silent client is connected to it
    "ps -o pid,ppid,stat,args -p PID": r"PID +PPID STAT +COMMAND\n *{pid} .* S.* .*webserver3c",
    "ps -o pid,ppid,stat,args --ppid PID": r"\n *\d+ +{pid} S.* .*webserver3c",
    "ps -L -o pid,lwp,stat,comm -p PID": r"PID +LWP STAT +COMMAND\n *{pid} +{pid} ",
    "ls -l /proc/PID/fd": r" 0 -> .*(\n.*)* -> socket:\[\d+\]",
    "grep -E 'SigPnd|ShdPnd|SigIgn|SigCgt' /proc/PID/status":
        r"SigPnd:\t0+\nShdPnd:\t0+\nSigIgn:\t\w+\nSigCgt:\t\w+\n",
    "cat /proc/PID/limits": r"Soft Limit +Hard Limit(.*\n)*Max open files +\d+ +\d+ +files",
    "ulimit -a": "open files",
    "ss -ltn 'sport = :8888'": r"Recv-Q +Send-Q(.*\n)*LISTEN +0 +1024 +127.0.0.1:{port}",
    "ss -tanp 'sport = :8888'": r"LISTEN(.*\n)*ESTAB .*127.0.0.1:{port} .*pid=",
    "ss -tn state syn-sent 'dport = :8888'": r"^Recv-Q.*\n$",
    "lsof -nP -iTCP:8888": r"{pid} .*TCP 127.0.0.1:{port} \(LISTEN\)(.*\n)*.*\(ESTABLISHED\)",
    "lsof -nP -p PID": r"{pid} .* (cwd|0u|0r) .*(\n.*)*\(LISTEN\)",
    "strace -f -p PID": r"accept4?\(\d.*(.*\n)*.*clone(.*\n)*.*recvfrom\(\d",
    "curl -v http://localhost:8888/hello":
        r"> GET /hello HTTP/1.1\r?\n(.*\n)*< HTTP/1.1 200 OK\r?\n(.*\n)*Hello, World!",
    "curl -sw '%{time_total}\\n' http://localhost:8888/hello": r"^Hello, World!\n\d\.\d+\n$",
    "curl -m 2 http://localhost:8888/hello; echo $?": r"Hello, World!(.*\n)*0\n$",
    "kill -STOP PID": "^$",
    "kill -CONT PID": "^$",
    "kill PID": "^$",
    "kill -9 PID": "^$",
}


@pytest.fixture
def server():
    """Stage 3c with a silent client, for whom it has forked a child."""
    with lab.start_stage("3c", DELAY=0) as server, lab.connect(server.port):
        assert lab.eventually(lambda: lab.children(server.pid))
        yield server


def for_server(command, server):
    return command.replace("PID", str(server.pid)).replace(":8888", f":{server.port}").replace(
        f"{server.pid},", "PID,")


def test_every_command_is_tried():
    assert set(COMMANDS) == set(SHOWN)


@linux_only
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_shows_what_the_sheet_says(server, command):
    tool = command.split()[0]
    if tool not in ("kill", "ulimit") and not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    line = for_server(command, server)
    shown = traced(line, server) if tool == "strace" else in_a_shell(line)
    wanted = SHOWN[command].replace("{pid}", str(server.pid)).replace("{port}", str(server.port))
    assert re.search(wanted, shown), f"{line} has shown:\n{shown}"
    if tool == "kill":
        states = {"-STOP": ["T"], "-CONT": ["S"]}.get(command.split()[1], ["", "Z"])  # "": gone
        assert lab.eventually(lambda: stat(server.pid)[:1] in states)


def in_a_shell(line):
    """What a command prints, on both streams."""
    wide = {**os.environ, "COLUMNS": "500"}  # ps cuts its lines there
    return subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=30, env=wide).stdout


def traced(line, server):
    """What strace prints of a server that one client asks, until Ctrl-C."""
    with tempfile.TemporaryFile("w+") as file:
        tracing = subprocess.Popen(line.split(), stderr=file)

        def said(words):
            file.seek(0)
            return re.search(words, file.read()) or tracing.poll() is not None
        assert lab.eventually(lambda: said("attached"), 20)
        lab.ask(server.port)
        assert lab.eventually(lambda: said(r"recvfrom\(.*\n(.*\n)*.*exited with 0"), 20)
        tracing.send_signal(signal.SIGINT)
        tracing.wait(20)
        file.seek(0)
        shown = file.read()
    if "Operation not permitted" in shown:
        pytest.skip("One may not trace here: " + shown.strip().splitlines()[-1])
    return shown


def test_curl_s_exit_status_is_the_one_that_the_sheet_names():
    with socket.create_server(LOCAL) as silent:
        for port, status in ((silent.getsockname()[1], "28"), (lab.free_port(), "7")):
            command = f"curl -sm 0.2 http://localhost:{port}/hello; echo $?"
            assert in_a_shell(command).strip() == status


def test_who_comes_while_the_server_is_stopped_is_connected(server):
    os.kill(server.pid, signal.SIGSTOP)
    with lab.connect(server.port) as late:
        assert late.getpeername()[1] == server.port
        os.kill(server.pid, signal.SIGCONT)


# Paper and screens.

@needs_chromium
def test_it_is_one_sheet_and_nothing_is_cut():
    with chromium() as browser:
        browser.get(PAGE.as_uri())
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        pdf = base64.b64decode(printed["data"])
        assert len(re.findall(rb"/Type /Page\b", pdf)) == 2, "two sides of A4"
        for media, width in (("print", 703), ("screen", 1280), ("screen", 800), ("screen", 400)):
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
            cut = browser.execute_script(
                "const fits = one => one.scrollWidth <= one.clientWidth + 1;"
                "const scrolls = one => arguments[0] && getComputedStyle(one).overflowX === 'auto';"
                "return [...document.querySelectorAll('html, pre, table, td')]"
                ".filter(one => !fits(one) && !scrolls(one))"
                ".map(one => one.textContent.slice(0, 60))", media == "screen")
            assert not cut, (media, width)


def test_it_needs_nothing_but_itself():
    assert not re.search(r"<(script|link|img)|url\(|@import", TEXT)
    assert Path(PAGE).stat().st_size < 30_000
