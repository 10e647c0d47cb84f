"""Claim 3.37: it listens on a unix socket, on IPv6, or on a socket that somebody hands to it."""

import errno
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from contextlib import ExitStack, closing, suppress

import pytest

import lab
from tests.helpers.capstone import (
    CLOSE,
    GATED,
    LAST,
    PROCESSES,
    assert_replaced,
    get,
    run,
    says,
    workers,
)
from tests.helpers.complete import Stream, next_answer
from tests.helpers.scripts import assert_one_line, linux_only, needs
from tests.spec.steps import hand_over

pytestmark = pytest.mark.claim("3.37")
ACTIVATE = "systemd-socket-activate"


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


ipv6 = pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
KINDS = {  # the options of each kind of place, and what is handed over to the server
    "unix": (["--bind", "unix:{}"], None),
    "ipv6": (["--bind", "[::1]:0"], None),
    "unix handed over": ([], "unix:{}"),
    "ipv6 handed over": ([], "tcp6"),
    "tcp handed over": ([], "tcp"),
}
every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=ipv6 if "ipv6" in kind else ()) for kind in KINDS])


@pytest.fixture
def path(folder):
    return folder / "socket"


@pytest.fixture
def start_at(start, path):
    """start_at("unix", "--workers", "1") starts the last stage, and waits until it serves."""
    def start_at(kind, *options, **more):
        bind, handed = KINDS[kind]
        behind = hand_over(handed.format(path), []) if handed else ()
        bind = [word.format(path) for word in bind]
        server = start(*bind, *(options or ["--workers", "2"]), behind=behind, ready=False, **more)
        assert_serves(server)
        return server
    return start_at


def assert_serves(server, times=1):
    said = lab.eventually(lambda: server.stdout.count("Serving HTTP") >= times, 20)
    assert said, server.stdout + server.stderr


def place(server, path):
    """Where it says that it serves: a path, or a host and a port; that which was handed over."""
    if handed := re.search("Handed over: (.*)\n", server.stderr):
        name = handed[1].replace(str(path), f"unix:{path}")
        assert f"Serving HTTP on {name} ...\n" in server.stdout
    if found := re.search(r"Serving HTTP on port (\d+) \.\.\.", server.stdout):
        host = "::1" if lab.listeners(int(found[1]))[0].address in ("::", "::1") else "127.0.0.1"
        return host, int(found[1])
    assert f"WSGIServer: Serving HTTP on unix:{path} ...\n" in server.stdout
    return str(path)


def connect(where):
    if isinstance(where, tuple):
        return socket.create_connection(where, 20)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(where)
    return client


def ask(where, request=None):
    """The HTTPResponse, with its `body`."""
    with connect(where) as client:
        client.sendall(request or get("/says_pid", CLOSE))
        return next_answer(Stream(client))


def environ_of(answer):
    return dict(line.split("=", 1) for line in answer.body.decode().splitlines())


# Each kind


@every_kind
def test_it_serves_and_keeps_connections(start_at, path, kind):
    server = start_at(kind)
    with connect(place(server, path)) as client:
        stream = Stream(client)
        for _ in range(3):
            client.sendall(get("/says_pid"))
            assert int(next_answer(stream).body) in workers(server)
        client.sendall(get("/streams?3"))
        assert len(next_answer(stream).body) == 3 << 20


def test_unix_client_is_served_by_a_thread(start_at, path):
    start_at("unix", "--workers", "1", "--threads", "2")
    with connect(str(path)) as client:
        stream = Stream(client)
        for _ in range(3):
            client.sendall(get("/streams?3"))
            assert len(next_answer(stream).body) == 3 << 20


@every_kind
def test_sighup_replaces_the_workers(start_at, path, kind):
    server = start_at(kind)
    where = place(server, path)
    assert lab.eventually(lambda: len(workers(server)) == 2)
    before = workers(server)
    os.kill(server.pid, signal.SIGHUP)
    assert_replaced(server, before, within=20)
    assert ask(where).status == 200
    assert re.sub("Handed over: .*\n", "", server.stderr) == ""


@every_kind
def test_it_finishes_what_is_in_flight_and_stops(start_at, stop, path, folder, kind):
    server = start_at(kind, "--workers", "1", application=PROCESSES)
    with connect(place(server, path)) as client:
        client.sendall(get(f"/begins_and_waits?{folder}/come", CLOSE))
        assert says(server, "begun")
        stop(server)
        (folder / "come").touch()
        assert lab.read_until(client, b"waited").endswith(b"waited")
    assert server.wait_until_dead(15) == 0
    assert path.exists() == (kind == "unix handed over"), "whose it is, removes it"


# What environ and the log say


def test_environ_and_log_of_a_unix_client(start_at, path):
    """PEP 3333 wants a name and a port that are not empty, and make a URL."""
    server = start_at("unix")
    answer = ask(str(path), get("/says_environ", CLOSE))
    environ = environ_of(answer)
    assert environ["REMOTE_ADDR"] == "''"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("'localhost'", "'80'")
    assert lab.eventually(lambda: "\n- 'GET /says_environ HTTP/1.1' 200\n" in server.stdout)


def test_client_with_a_path_of_its_own_is_like_the_others(start_at, path, folder):
    server = start_at("unix")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.bind(f"{folder}/client")
        client.connect(str(path))
        client.sendall(get("/says_environ", CLOSE))
        assert environ_of(next_answer(Stream(client)))["REMOTE_ADDR"] == "''"
    assert lab.eventually(lambda: "\n- 'GET /says_environ" in server.stdout)


@ipv6
@pytest.mark.parametrize("kind", ["ipv6", "ipv6 handed over"])
def test_environ_and_log_of_an_ipv6_client(start_at, path, kind):
    server = start_at(kind)
    where = place(server, path)
    request = get("/says_environ", CLOSE).replace(b"localhost", b"[::1]:%d" % where[1])
    environ = environ_of(ask(where, request))
    assert environ["REMOTE_ADDR"] == "'::1'"
    assert environ["SERVER_NAME"] == "'[::1]'", "as it stands in a URL: RFC 3875, 4.1.14"
    assert environ["SERVER_PORT"] == f"'{where[1]}'"
    assert environ["HTTP_HOST"] == f"'[::1]:{where[1]}'"
    assert lab.eventually(lambda: "\n::1 'GET /says_environ HTTP/1.1' 200\n" in server.stdout)


@ipv6
def test_host_of_the_environment_may_be_ipv6(start):
    server = start("--workers", "1", host="::1")
    assert ask(("::1", server.port)).status == 200


# The file of a unix socket


def leave_a_file(path):
    """That of a server that died."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))


def test_file_of_a_dead_server_is_no_hindrance(start_at, path):
    leave_a_file(path)
    start_at("unix")
    assert ask(str(path)).status == 200


def test_killed_server_starts_again(start_at, path):
    server = start_at("unix")
    os.kill(server.pid, signal.SIGKILL)
    server.wait_until_dead()
    assert path.exists()
    assert lab.eventually(lambda: not server._living())
    start_at("unix")
    assert ask(str(path)).status == 200


def test_file_of_a_living_server_is_its_own(start_at, path):
    server = start_at("unix")
    second = run("--bind", f"unix:{path}", "tests.apps.various:named")
    assert_one_line(second, f"unix:{path}", "Address already in use")
    assert ask(str(path)).status == 200
    assert server.stderr == ""


def test_living_server_with_a_full_queue_lives(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as busy, ExitStack() as clients:
        busy.bind(str(path))
        busy.listen(0)
        for _ in range(10):
            client = clients.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.setblocking(False)
            refused = client.connect_ex(str(path))
        assert refused == errno.EAGAIN
        ended = run("--bind", f"unix:{path}", "tests.apps.various:named")
        assert_one_line(ended, f"unix:{path}", "Address already in use")
        assert path.is_socket()


def test_what_is_no_socket_stays(path):
    path.write_text("mine")
    assert_one_line(run("--bind", f"unix:{path}", "tests.apps.various:named"), f"unix:{path}")
    assert path.read_text() == "mine"


def test_place_that_cannot_be_is_said_in_a_line(folder):
    for place_, word in [(f"unix:{folder}/none/socket", "No such file"),
                         (f"unix:{folder}/{'x' * 120}", "too long"),
                         (f"unix:{folder}", "in use"), ("unix:", "in use"),
                         ("[::1", "[::1"), ("[::1]", "invalid"), ("[::1]:x", "invalid"),
                         ("[::x]:0", "[::x]:0"), ("[2001:db8::1]:0", "[2001:db8::1]:0")]:
        assert_one_line(run("--bind", place_, "tests.apps.various:named"), place_, word)
    assert list(folder.iterdir()) == []


def test_file_goes_when_the_application_cannot_be_loaded(path):
    assert_one_line(run("--bind", f"unix:{path}", "no_such_module:app"), "no_such_module")
    assert not path.exists()


def test_successor_may_start_while_the_last_answers_are_sent(start_at, path, folder):
    """And the one that ends leaves the file alone, for it is not its own any more."""
    first = start_at("unix", "--workers", "1", application=PROCESSES)
    with connect(str(path)) as client:
        client.sendall(get(f"/begins_and_waits?{folder}/come", CLOSE))
        assert says(first, "begun")
        os.kill(first.pid, signal.SIGTERM)
        assert lab.eventually(lambda: not path.exists()), "it lets nobody in any more"
        start_at("unix")
        (folder / "come").touch()
        assert lab.read_until(client, b"waited").endswith(b"waited")
    assert first.wait_until_dead(15) == 0
    assert ask(str(path)).status == 200


def test_who_stops_leaves_the_file_of_another(start_at, path):
    first = start_at("unix")
    path.unlink()
    start_at("unix")
    os.kill(first.pid, signal.SIGTERM)
    assert first.wait_until_dead(15) == 0
    assert ask(str(path)).status == 200


@pytest.mark.parametrize(("umask", "mode"), [("077", 0o700), ("007", 0o770), ("022", 0o755)])
def test_umask_says_who_may_connect(start, path, umask, mode):
    server = start("--bind", f"unix:{path}", "--workers", "1", ready=False,
                   behind=["sh", "-c", f'umask {umask}; exec "$@"', "sh"])
    assert_serves(server)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    if os.geteuid() == 0:
        path.parent.chmod(0o755)
        connecting = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
        another = subprocess.run(["/usr/bin/python3", "-c", connecting], capture_output=True,
                                 text=True, check=False, user=65534, group=65534, extra_groups=[])
        assert "PermissionError" in another.stderr


# A socket that is handed over


@pytest.mark.parametrize("kind", ["tcp handed over", "unix handed over"])
def test_children_of_the_application_see_nothing_of_it(start_at, path, kind):
    server = start_at(kind, application=PROCESSES, NOTIFY_SOCKET=f"{path}.notify")
    answer = ask(place(server, path), get("/says_what_a_child_sees", CLOSE))
    assert answer.body == b"[] []", "environment variables, and sockets"


def test_socket_is_for_the_process_that_is_named(start):
    """Whoever started that left the variables to us."""
    server = start(LISTEN_PID=1, LISTEN_FDS=1, application=PROCESSES)
    assert ask(("127.0.0.1", server.port), get("/says_what_a_child_sees", CLOSE)).body == b"[] []"


def test_what_is_handed_over_comes_before_bind(start_at, path):
    server = start_at("tcp handed over", "--bind", f"unix:{path}")
    assert place(server, path)[0] == "127.0.0.1"
    assert not path.exists()


@pytest.mark.parametrize("kinds", [
    "udp", "connected", "file", "closed", "tcp,tcp",
    pytest.param("seqpacket", marks=linux_only),
])
def test_what_cannot_be_served_is_said_in_a_line(kinds):
    ended = subprocess.run(hand_over(kinds, lab.stage_command(LAST, "part2.wsgiapp:app")),
                           cwd=lab.PROJECT, capture_output=True, text=True, timeout=30, check=False)
    ended.stderr = re.sub("Handed over: .*\n", "", ended.stderr)
    assert_one_line(ended, "LISTEN_FDS")


@pytest.mark.parametrize("number", ["many", "-1", "1000000000"])
def test_number_that_is_none_is_said_in_a_line(number):
    program = f'LISTEN_PID=$$ LISTEN_FDS={number} exec "$@"'
    ended = subprocess.run(["sh", "-c", program, "sh", *lab.stage_command(LAST, "a:b")],
                           cwd=lab.PROJECT, capture_output=True, text=True, timeout=30, check=False)
    assert_one_line(ended, "LISTEN_FDS", number)


# A restart


def read(client):
    """What comes, to the end; nothing if it is cut off."""
    with suppress(ConnectionError):
        return lab.read_until(client, b"no such end")
    return b""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS lets 128 clients wait, and no more")
@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize("activate", [False, pytest.param(True, marks=needs(ACTIVATE))],
                         ids=["handed over", ACTIVATE])
def test_restart_refuses_none_of_1000_connections(start, path, kind, activate):
    """Who keeps the socket ends the server and starts it again, as `systemctl restart` does. The
    first 100 come while it ends, the others while the next one still loads its application."""
    gate = path.with_name("gate")
    gate.touch()
    behind = hand_over(kind.replace("unix", f"unix:{path}"), [], "--again")
    if activate:
        behind += [ACTIVATE, "-E", f"GATE={gate}"]
    server = start("--workers", "1", application=GATED, GATE=gate, behind=behind, ready=False)
    assert says(server, "Handed over")
    where = str(path)
    if kind == "tcp":
        where = "127.0.0.1", int(re.search(r"Handed over: port (\d+)\n", server.stderr)[1])
    old = int(ask(where).body)
    gate.unlink()
    os.kill(server.pid, signal.SIGUSR1)
    with ExitStack() as stack:
        clients = []

        def come():
            clients.append(stack.enter_context(connect(where)))
            with suppress(ConnectionError):  # it may have been let go already
                clients[-1].sendall(get("/says_pid", CLOSE))

        for _ in range(100):
            come()
        assert lab.eventually(lambda: not lab.process(old), 20)
        for _ in range(900):
            come()
        gate.touch()
        answers = [read(client) for client in clients]
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers if answer)
    assert all(answers[100:]), "before, one may have been let in, and not have asked yet"
    assert any(answers[:100])
    assert ask(where).status == 200


# A word to systemd


@pytest.fixture(params=["path", "abstract"])
def listener(request, folder):
    """A socket that waits for a word, and its name as systemd gives it."""
    if request.param == "abstract" and not sys.platform.startswith("linux"):
        pytest.skip("Linux alone has abstract addresses.")
    name = {"path": f"{folder}/user@1/notify", "abstract": f"@{folder}/notify"}[request.param]
    (folder / "user@1").mkdir()
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind(re.sub("^@", "\0", name))
        listener.settimeout(20)
        yield listener, name


def test_systemd_hears_that_it_serves_when_it_does(start, listener, folder):
    listener, name = listener
    gate = folder / "gate"
    server = start("--workers", "2", application=GATED, GATE=gate, NOTIFY_SOCKET=name, ready=False)
    assert says(server, "a worker starts")
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.recv(100)
    gate.touch()
    listener.settimeout(20)
    assert listener.recv(100) == b"READY=1"
    assert ask(("127.0.0.1", server.port)).status == 200


def test_nobody_who_waits_for_a_word_is_no_harm(start, folder):
    server = start(NOTIFY_SOCKET=folder / "nobody")
    assert ask(("127.0.0.1", server.port)).status == 200
    assert server.stderr == ""
