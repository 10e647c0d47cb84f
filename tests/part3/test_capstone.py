"""Claim 3.29: webserver3z.py, workers x event loop x complete PEP 3333 x HTTP/1.1 keep-alive."""

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead

import pytest
from tests.part2.test_refusals import ECHOES, LATE, REFUSED, rows

import lab
from complete import (
    APPS,
    LAST,
    Stream,
    chunks,
    fetch,
    head,
    in_pieces,
    line,
    next_answer,
    post,
    servers_that_stay,
)
from scripts import linux_only

pytestmark = pytest.mark.claim("3.29")
CLOSE = b"Connection: close"


@pytest.fixture
def start(start_stage):
    """start("--workers", "3") starts 3z with these options, else with two workers."""
    def start(*options, application=APPS, **more):
        return start_stage(LAST.stage, *(options or ["--workers", "2"]), application, **more)
    return start


@pytest.fixture(scope="module")
def serve():
    """serve(stage, application) starts a stage, once for all tests of this module."""
    with servers_that_stay() as serve:
        yield serve


@pytest.fixture
def connect(serve):
    """A server for many tests, a connection to it, and the Stream of what comes there."""
    server = serve(LAST)
    with lab.connect(server.port) as client:
        yield server, client, Stream(client)


def get(path, *lines, version="1.1", method="GET"):
    return head(*lines, start=f"{method} {path} HTTP/{version}".encode())


def workers(server):
    return {child.pid for child in lab.children(server.pid) if child.state != "zombie"}


def is_at_its_end(client):
    """Whether the server closes the connection, and says no more."""
    return client.recv(1) == b""


# One connection, many requests


def test_connection_is_kept_for_the_next_request(start):
    server = start()
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
        client.connect()
        address = client.sock.getsockname()
        for number in range(20):
            client.request("GET", f"/says_url/{number}")
            answer = client.getresponse()
            assert answer.read().endswith(b"/says_url/%d" % number)
            assert client.sock.getsockname() == address, "it is the same connection"


def test_answers_come_in_the_order_of_the_requests(connect):
    """Pipelining: many requests are sent before the first answer is read."""
    server, client, stream = connect
    requests = [
        ("GET", get("/says_url/1")), ("POST", post(b"Content-Length: 4")), ("GET", get("/naps")),
        ("HEAD", get("/says_pid", method="HEAD")), ("GET", get("/returns_generator")),
        ("POST", chunks(b"4\r\nbody\r\n0\r\nX: a\r\n\r\n")), ("GET", get("/streams?2")),
        ("GET", get("/returns_generator")), ("GET", get("/says_url/2", CLOSE)),
    ]
    client.sendall(b"".join(request for _, request in requests).replace(b"/hello", b"/echoes"))
    bodies = [next_answer(stream, method).body for method, _ in requests]
    bodies[6] = len(bodies[6])
    assert bodies == [b"http://localhost/says_url/1", b"body", b"rested", b"", b"one two", b"body",
                      2 << 20, b"one two", b"http://localhost/says_url/2"]
    assert stream.read() == b""


def test_2000_requests_at_once(connect):
    """Sent by a thread, for the server need not take the last before its answers are read."""
    server, client, stream = connect
    requests = b"".join(get(f"/says_url/{number}") for number in range(2000))
    sender = threading.Thread(target=client.sendall, args=(requests,))
    sender.start()
    bodies = [next_answer(stream).body for _ in range(2000)]
    sender.join()
    assert bodies == [b"http://localhost/says_url/%d" % number for number in range(2000)]


def test_requests_that_are_cut_anywhere(start):
    server = start("--workers", "1")
    requests = (get("/says_url/1") + post(b"Content-Length: 4")
                + chunks(b"4\r\nbody\r\n0\r\n\r\n") + get("/says_url/2", CLOSE))
    requests = requests.replace(b"/hello", b"/echoes")
    whole = undated(lab.ask(server.port, requests))
    assert whole.count(b"HTTP/1.1 200 OK") == 4
    for place in range(1, len(requests)):
        pieces = [requests[:place], requests[place:]]
        answer = in_pieces(server.port, pieces, 0.002)
        assert undated(answer) == whole, f"Cut after {requests[:place]!r}: {answer.data!r}"


def undated(answer):
    lines = answer.data.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"Date:"))


@pytest.mark.parametrize(("lines", "version", "kept"), [
    ([], "1.1", True),
    ([b"Connection: keep-alive"], "1.1", True),
    ([b"Connection: close"], "1.1", False),
    ([b"connection: Close"], "1.1", False),
    ([b"Connection: TE, close"], "1.1", False),
    ([b"Connection: TE", b"Connection: close"], "1.1", False),
    ([], "1.0", False),
    ([b"Connection: close"], "1.0", False),
    ([b"Connection: keep-alive"], "1.0", True),
    ([b"Connection: Keep-Alive"], "1.0", True),
    ([b"Connection: TE, keep-alive"], "1.0", True),
    ([b"Connection: keep-alive, close"], "1.0", False),
    ([b"Connection: close, keep-alive"], "1.0", False),
    ([b"Connection: keep-alive", b"Connection: Close"], "1.0", False),
    ([b"Connection: keep-alive, close"], "1.1", False),
    ([], "1.2", True),
    ([b"Connection: close"], "1.2", False),
], ids=str)
@pytest.mark.parametrize("path", ["/says_pid", "/returns_generator"])
def test_connection_stays_if_the_client_wants_it(connect, path, lines, version, kept):
    """RFC 9112, 9.3. A body of unknown length ends with the connection for HTTP/1.0."""
    kept = kept and (version, path) != ("1.0", "/returns_generator")
    server, client, stream = connect
    client.sendall(get(path, *lines, version=version))
    if version == "1.0" and not kept:
        answer = lab.read_until(client, b"no such end")
        assert b"chunked" not in answer
        assert b"keep-alive" not in answer.lower()
        return
    answer = next_answer(stream)
    assert answer.status == 200
    if not kept:
        assert answer.headers["Connection"].lower() == "close"
        assert stream.read() == b""
        return
    assert (answer.headers["Connection"] or "").lower() == "keep-alive" * (version == "1.0")
    client.sendall(get("/says_url", *lines, version=version))
    assert next_answer(stream).body == b"http://localhost/says_url"


@pytest.mark.parametrize("request_", [
    get("/says_pid", method="HEAD"), get("/returns_generator", method="HEAD"),
    post(b"Content-Length: 30", body=b'["204 No Content", [], "body"]').replace(
        b"/hello", b"/starts_as_told"),
    post(b"Content-Length: 32", body=b'["304 Not Modified", [], "body"]').replace(
        b"/hello", b"/starts_as_told"),
    post(b"Content-Length: 2000000", body=bytes(2_000_000)).replace(b"/hello", b"/leaves_the_body"),
    post(b"Content-Length: 0", body=b""),
], ids=["HEAD", "HEAD of a stream", "204", "304", "unread body", "empty body"])
def test_next_answer_begins_where_it_should(connect, request_):
    server, client, stream = connect
    client.sendall(request_ + get("/says_url"))
    next_answer(stream, "HEAD" if request_.startswith(b"HEAD") else "GET")
    assert next_answer(stream).body == b"http://localhost/says_url"


def test_body_of_unknown_length_comes_in_chunks(connect):
    """RFC 9112, 7.1: an empty block is no chunk, for the empty chunk is the last."""
    server, client, stream = connect
    client.sendall(get("/returns_generator"))
    data = lab.read_until(client, b"0\r\n\r\n")
    headers, _, body = data.partition(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked" in headers
    assert b"Content-Length" not in headers
    assert body == b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"


def test_stream_that_fails_has_no_last_chunk(connect):
    server, client, stream = connect
    client.sendall(get("/raises_after_a_block"))
    with pytest.raises(IncompleteRead) as error:
        next_answer(stream)
    assert error.value.partial == b"one "
    assert fetch(server).status == 200


def test_body_that_is_too_short_ends_with_the_connection(connect):
    """The next answer would be taken for the rest of it."""
    server, client, stream = connect
    told = b'["200 OK", [["Content-Length", "9"]], "short"]'
    client.sendall(post(b"Content-Length: %d" % len(told), body=told).replace(
        b"/hello", b"/starts_as_told") + get("/says_pid"))
    with pytest.raises(IncompleteRead) as error:
        next_answer(stream)
    assert error.value.partial == b"short"


@pytest.mark.parametrize(("request_", "status"), rows(
    row for row in REFUSED if len(row[1]) < 1000))
def test_refused_behind_a_good_request(serve, request_, status):
    """The answer to the good one comes first; what follows the bad one is not read as a request."""
    server = serve(LAST, ECHOES)
    calls = server.stderr.count("called\n")
    with lab.connect(server.port) as client:
        stream = Stream(client)
        client.sendall(get("/good") + request_ + get("/smuggled"))
        assert [next_answer(stream).status for _ in range(2)] == [200, status]
        assert stream.read() == b""
    assert lab.ask(server.port).status == 200
    assert lab.eventually(lambda: server.stderr.count("called\n") == calls + 2)


@pytest.mark.parametrize("request_", rows(LATE))
def test_late_behind_a_good_request(serve, request_):
    with lab.connect(serve(LAST, ECHOES, TIMEOUT=0.5).port) as client:
        stream = Stream(client)
        client.sendall(get("/good") + request_)
        assert [next_answer(stream).status for _ in range(2)] == [200, 408]
        assert stream.read() == b""


def test_idle_connection_is_closed_without_a_word(serve):
    """Nothing was asked, so nothing is answered."""
    with lab.connect(serve(LAST, ECHOES, TIMEOUT=0.5).port) as client:
        stream = Stream(client)
        client.sendall(get("/good"))
        assert next_answer(stream).status == 200
        assert stream.read() == b""


# One worker, many clients


@linux_only
def test_idle_connection_keeps_nothing_of_its_last_request(start):
    """Neither the file that its body went to, nor the memory."""
    server = start("--workers", "1")
    upload = post(b"Content-Length: 3000000", body=bytes(3_000_000))
    fetch(server, "/says_pid")
    [worker] = workers(server)
    before = lab.descriptor_count(worker)
    with lab.connect(server.port) as client:
        client.sendall(upload.replace(b"/hello", b"/says_size"))
        assert next_answer(Stream(client)).body == b"3000000"
        assert lab.eventually(lambda: lab.descriptor_count(worker) == before + 1, 2), (
            lab.descriptors(worker))


def test_client_that_does_not_read_holds_up_nobody(start):
    server = start("--workers", "1")
    with lab.connect(server.port) as client:
        client.sendall(get("/streams"))
        assert client.recv(1000)
        for _ in range(10):
            assert fetch(server, "/says_pid").status == 200


def test_client_that_reads_all_it_can_get_holds_up_nobody(start):
    """There is always room for one more of these blocks; the others have their turn all the same.
    """
    server = start("--workers", "1")
    over = threading.Event()

    def read():
        with lab.connect(server.port) as client:
            client.sendall(get("/ticks"))
            while not over.is_set():
                client.recv(1 << 20)

    reader = threading.Thread(target=read)
    reader.start()
    answers = [lab.ask(server.port, get("/says_pid", CLOSE)) for _ in range(10)]
    over.set()
    reader.join()
    assert [answer.status for answer in answers] == [200] * 10, answers


def test_application_that_blocks_blocks_one_worker_only(start, folder):
    server = start("--workers", "2")
    with lab.connect(server.port) as client:
        client.sendall(get(f"/waits?{folder}/come", CLOSE))
        time.sleep(0.1)
        for _ in range(10):
            assert fetch(server, "/says_pid").status == 200
        (folder / "come").touch()
        assert lab.read_until(client, b"waited")


# Options


def run(*arguments, **environment):
    """Run 3z with arguments that make it end by itself; its CompletedProcess."""
    return subprocess.run(
        lab.stage_command(LAST.stage, *arguments), capture_output=True, text=True, timeout=30,
        cwd=lab.PROJECT, env={**os.environ, "PORT": str(lab.free_port()), **environment})


def test_help_names_every_option():
    ended = run("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    for word in ("--workers", "--bind", "--timeout", "--quiet", "module:callable"):
        assert word in ended.stdout


@pytest.mark.parametrize("arguments", [
    ["--workers", "0", APPS], ["--workers", "-1", APPS], ["--workers", "many", APPS],
    ["--bind", "localhost", APPS], ["--bind", "localhost:x", APPS], ["--bind", ":70000", APPS],
    ["--bind", "999.0.0.1:8888", APPS], ["--timeout", "soon", APPS], ["--timeout", "-1", APPS],
    ["--timeout", "0", APPS], ["--timeout", "nan", APPS], ["--nonsense", APPS], ["--workers"],
    [APPS, "another:app"], [], ["application"], ["no_such_module:app"],
    ["tests.part2.apps:no_such_callable"], ["tests.part2.apps:no_application"],
], ids=" ".join)
def test_argument_that_is_none_is_said_in_a_sentence(arguments):
    ended = run(*arguments)
    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr
    *usage, sentence = ended.stderr.splitlines()
    assert not usage or usage[0].startswith("usage:")
    wrong = [word.strip("-") for word in arguments if word != APPS]
    assert not wrong or any(word in sentence for word in wrong), sentence


@pytest.mark.parametrize("variable", ["soon", "-1", "nan"])
def test_timeout_of_the_environment_that_is_none_is_said_in_a_sentence(variable):
    ended = run(APPS, TIMEOUT=variable)
    assert ended.returncode in (1, 2)
    assert "TIMEOUT" in ended.stderr.splitlines()[-1].upper()
    assert "Traceback" not in ended.stderr


def test_options_come_before_the_environment(start):
    port = lab.free_port()
    start("--bind", f"127.0.0.2:{port}", "--timeout", "0.5", host="127.0.0.2", port=port,
          HOST="127.0.0.3", PORT=lab.free_port(), TIMEOUT=60)
    assert [listener.address for listener in lab.listeners(port)] == ["127.0.0.2"]
    assert lab.ask(port, b"", host="127.0.0.2").end < 9


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_workers_as_it_is_told(start, count):
    server = start("--workers", str(count))
    assert lab.eventually(lambda: len(workers(server)) == count)


def test_a_worker_for_each_core_if_it_is_told_nothing(start_stage):
    server = start_stage(LAST.stage, APPS)
    assert lab.eventually(lambda: len(workers(server)) == os.cpu_count())


# The access log


def test_a_line_for_each_request_in_the_access_log(start):
    server = start()
    fetch(server, "/says_pid/a?b=c")
    fetch(server, "/raises/now", "POST", b"body")
    lab.ask(server.port, line(b"GET / HTTP/1.1 "))
    assert lab.eventually(lambda: log(server, " 200") and log(server, " 500")), server.stdout
    [good] = log(server, " 200")
    assert "127.0.0.1" in good
    assert "GET /says_pid/a?b=c HTTP/1.1" in good
    [bad] = log(server, " 500")
    assert "POST /raises/now HTTP/1.1" in bad


def test_refusal_is_not_logged_under_the_name_of_the_request_before(start):
    server = start()
    lab.ask(server.port, get("/good") + b"GET /bad HT", hang_up=True)
    assert lab.eventually(lambda: log(server, " 400")), server.stdout
    assert "/good" not in "".join(log(server, " 400"))


def log(server, word):
    return [entry for entry in server.stdout.splitlines()[1:] if word in entry]


def test_access_log_shows_no_control_characters(start):
    """A terminal would obey them."""
    server = start()
    lab.ask(server.port, line(b"GET /\x1b[31m\x9b31m%1b%0a HTTP/1.1"))
    lab.ask(server.port, get("/%1b%0a\xe9", CLOSE))
    lab.eventually(lambda: server.stdout.count("\n") > 1)
    assert not set(server.stdout) & {"\x1b", "\x9b", "\r"}


def test_quiet_leaves_the_access_log_out(start):
    server = start("--quiet", application="part2.wsgiapp:app")
    fetch(server)
    lab.ask(server.port, line(b"BAD"))
    server.stop()
    assert server.stdout == f"WSGIServer: Serving HTTP on port {server.port} ...\n"


# Its end, and that of its workers


@pytest.fixture(params=["SIGTERM", "SIGINT", "SIGINT to all"])
def stop(request):
    """stop(server) ends it: from outside, or as Ctrl-C does in a terminal."""
    if request.param == "SIGINT to all":
        return lambda server: os.killpg(server.pid, signal.SIGINT)
    return lambda server: os.kill(server.pid, signal.Signals[request.param])


@pytest.mark.parametrize("name", ["waits", "waits_between_blocks", "waits_after_write"])
def test_it_finishes_what_is_in_flight_and_stops(start, stop, name, folder):
    server = start("--workers", "1")
    family = server.members()
    with lab.connect(server.port) as client:
        client.sendall(get(f"/{name}?{folder}/come"))
        if name != "waits":
            lab.read_until(client, b"one ")
        time.sleep(0.2)
        stop(server)
        (folder / "come").touch()
        assert lab.read_until(client, b"waited" if name == "waits" else b"two")
        lab.read_until(client, b"no such end")
    assert server.wait_until_dead(10) == 0
    assert lab.eventually(lambda: not any(map(lab.process, family)))
    assert server.stderr == ""


def test_it_sends_a_long_answer_to_its_end_and_stops(start, stop):
    server = start("--workers", "1", TIMEOUT=60)
    with lab.connect(server.port) as client:
        stream = Stream(client)
        client.sendall(get("/streams?30"))
        stream.peek(1)
        stop(server)
        assert len(next_answer(stream).body) == 30 << 20
        assert server.wait_until_dead(10) == 0, "it waits for no other request"


def test_idle_connections_do_not_keep_it_from_stopping(start, stop):
    server = start(TIMEOUT=60)
    with lab.connect(server.port) as silent, lab.connect(server.port) as idle:
        idle.sendall(get("/says_pid"))
        assert lab.read_until(idle, b"\r\n\r\n")
        stop(server)
        assert server.wait_until_dead(10) == 0
        assert is_at_its_end(silent)
    assert server.stderr == ""


def assert_replaced(server, victims, within):
    """There are two workers soon, and these are not among them."""
    replaced = lab.eventually(
        lambda: len(workers(server)) == 2 and not victims & workers(server), within)
    assert replaced, f"Workers were {victims}, and {within} s later {workers(server)}."


def test_sighup_replaces_the_workers_and_refuses_nobody(start, folder):
    """A client that asks over and over never fails, nor does one that waits for its answer."""
    server = start()
    over, failures, served = threading.Event(), [], []

    def ask():
        while not over.is_set():
            answer = lab.ask(server.port, get("/says_pid", CLOSE))
            (served if answer.status == 200 and answer.end else failures).append(answer)

    asker = threading.Thread(target=ask)
    with lab.connect(server.port) as waiting:
        waiting.sendall(get(f"/waits?{folder}/come", CLOSE))
        asker.start()
        for _ in range(2):
            before = workers(server)
            os.kill(server.pid, signal.SIGHUP)
            (folder / "come").touch()
            assert_replaced(server, before, within=15)
        over.set()
        asker.join()
        assert b"waited" in lab.read_until(waiting, b"waited")
    assert not failures, f"{len(failures)} of {len(served)} failed, such as {failures[0]}"
    assert len(served) > 20
    assert server.exit_status is None
    assert server.stderr == ""


def test_worker_that_was_killed_is_replaced_at_once(start):
    server = start()
    lab.eventually(lambda: len(workers(server)) == 2)
    for _ in range(5):
        victim = min(workers(server))
        os.kill(victim, signal.SIGKILL)
        assert_replaced(server, {victim}, within=3)
        assert fetch(server, "/says_pid").status == 200
    assert lab.eventually(lambda: not lab.zombies(server.pid))


def test_worker_that_dies_at_its_start_is_not_started_in_a_spin(start, folder):
    """It is tried again now and then, and serves when whatever was wrong is mended."""
    well = folder / "well"
    well.touch()
    server = start(application="tests.part2.dies_at_start:app", WELL=well)
    assert lab.eventually(lambda: len(workers(server)) == 2)
    well.unlink()
    for victim in workers(server):
        os.kill(victim, signal.SIGKILL)
    before = server.stderr.count("a worker starts")
    time.sleep(2)
    starts = server.stderr.count("a worker starts") - before
    assert 2 <= starts <= 30, f"{starts} starts in two seconds"
    assert server.exit_status is None
    well.touch()
    assert lab.ask(server.port, get("/", CLOSE), timeout=20).status == 200


def test_server_whose_first_worker_dies_at_its_start_ends(folder):
    """Then there is nobody yet whom it could let down."""
    ended = run("tests.part2.dies_at_start:app", WELL=str(folder / "well"))
    assert ended.returncode != 0
    assert "Serving" not in ended.stdout
    assert ended.stderr.count("a worker starts") <= 2


def test_workers_end_when_the_master_was_killed(start):
    server = start()
    lab.eventually(lambda: len(workers(server)) == 2)
    family = workers(server)
    with lab.connect(server.port) as idle:
        idle.sendall(get("/says_pid"))
        assert lab.read_until(idle, b"\r\n\r\n")
        os.kill(server.pid, signal.SIGKILL)
        server.wait_until_dead()
        ended = lab.eventually(lambda: not any(map(lab.process, family)), 15)
    assert ended, f"{[lab.process(pid) for pid in family]} are still there."
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", server.port))
