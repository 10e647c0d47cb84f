"""What hostile clients, and applications in trouble, cannot do to 2j and 3z, nor to others."""

import ctypes
import itertools
import json
import os
import random
import re
import signal
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, IncompleteRead

import pytest

import lab
from tests.apps import various
from tests.helpers.capstone import CLOSE, get
from tests.helpers.complete import (
    COMPLETE,
    Stream,
    arguments,
    chunks,
    each,
    every_complete_stage,
    every_concurrent_stage,
    fetch,
    head,
    line,
    next_answer,
    post,
)
from tests.helpers.scripts import linux_only, needs, seconds
from tests.part3.test_outlives import assert_says, held, nothing_left, settled
from tests.spec.clients import RANDOM_BYTES
from tests.spec.subject import freeze

pytestmark = pytest.mark.thorough

QUIET = "tests.apps.quiet_apps:app"
MIB = 1 << 20
SOAK = float(os.environ.get("SOAK") or 8)  # seconds of hostility
SIZE = 60_000  # of what is long, in bytes: it fits into a head
BLANKS = b" " * SIZE
DIGITS = b"0" * SIZE
LETTERS = b"a" * SIZE


@pytest.fixture
def start(start_stage):
    """start(stage) starts it with the applications of tests/apps/various.py, and one worker."""
    def start(stage, **options):
        return start_stage(stage.stage, *arguments(stage, workers=1), **options)
    return start


def told(status="200 OK", *headers):
    """A request for an application that calls start_response so."""
    body = json.dumps([status, headers, "body"]).encode()
    return post(b"Content-Length: %d" % len(body), CLOSE, body=body).replace(
        b"/hello", b"/starts_as_told")


@contextmanager
def in_background(work, *arguments):
    """A thread that works beside a block and is waited for; the end of its connection ends it."""
    def run():
        with suppress(OSError):
            work(*arguments)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


def read_all(client, block=MIB, pause=0):
    """How many bytes come until the end of the connection, read with a pause after each block."""
    size = 0
    while data := client.recv(block):
        size += len(data)
        if pause:
            time.sleep(pause)
    return size


# Time: what is long must not take long


REFUSALS = {400, 413, 414, 431, 500, 501, 505}
LONG = [  # name, what is refused, and something harmless of the same size
    ("a header of blanks", head(b"X:" + BLANKS + b"\0"), head(b"X:" + BLANKS + b"a")),
    ("a header of tabs", head(b"X:" + b"\t" * SIZE + b"\0"), head(b"X:" + BLANKS + b"a")),
    ("blanks after a value", head(b"X: a" + BLANKS + b"\0"), head(b"X: a" + BLANKS)),
    ("words and blanks", head(b"X:" + b" a" * (SIZE // 2) + b"\0"), head(b"X:" + BLANKS)),
    ("a long name", head(LETTERS + b"\0: a"), head(LETTERS + b": a")),
    ("a name without a colon", head(LETTERS), head(LETTERS + b": a")),
    ("a long Host", head(host=b"Host: " + LETTERS + b"\0"), head(host=b"Host: " + LETTERS)),
    ("Host and blanks", head(host=b"Host: a" + BLANKS + b"b"), head(host=b"Host: a" + BLANKS)),
    ("a Host of colons", head(host=b"Host: [" + b":" * SIZE), head(host=b"Host: " + LETTERS)),
    ("a Host of digits", head(host=b"Host: a:" + DIGITS + b"x"), head(host=b"Host: a:" + DIGITS)),
    ("a Host of points", head(host=b"Host: " + b"1." * (SIZE // 2) + b"/"),
     head(host=b"Host: " + LETTERS)),
    ("a long method", line(b"A" * SIZE + b"\0 / HTTP/1.1"), line(b"A" * SIZE + b" / HTTP/1.1")),
    ("a long path", line(b"GET /" + LETTERS + b"\0 HTTP/1.1"),
     line(b"GET /" + LETTERS + b" HTTP/1.1")),
    ("a path of percent signs", line(b"GET /" + b"%4" * (SIZE // 2) + b"\0 HTTP/1.1"),
     line(b"GET /" + LETTERS + b" HTTP/1.1")),
    ("a path of question marks", line(b"GET /" + b"?" * SIZE + b"\0 HTTP/1.1"),
     line(b"GET /" + LETTERS + b" HTTP/1.1")),
    ("a target of blanks", line(b"GET /" + BLANKS + b"HTTP/1.1"),
     line(b"GET /" + LETTERS + b" HTTP/1.1")),
    ("a long authority", line(b"GET http://" + LETTERS + b"\0/ HTTP/1.1"),
     line(b"GET http://" + LETTERS + b"/ HTTP/1.1")),
    ("an authority of percent signs", line(b"GET http://" + b"%" * SIZE + b"@/ HTTP/1.1"),
     line(b"GET http://" + LETTERS + b"/ HTTP/1.1")),
    ("an authority of digits", line(b"GET http://a:" + DIGITS + b"x/ HTTP/1.1"),
     line(b"GET http://a:" + DIGITS + b"/ HTTP/1.1")),
    ("a long version", line(b"GET / HTTP/1." + DIGITS), line(b"GET /" + DIGITS + b" HTTP/1.1")),
    ("a long Content-Length", post(b"Content-Length: " + b"9" * SIZE),
     post(b"Content-Length: 4", b"X: " + LETTERS)),
    ("a list of codings", post(b"Transfer-Encoding: " + b"a," * (SIZE // 2)),
     post(b"Content-Length: 4", b"X: " + LETTERS)),
    ("a chunk size of digits", chunks(DIGITS + b"\0\r\n"), head(b"X: " + LETTERS)),
    ("a chunk size of Fs", chunks(b"f" * SIZE + b"\r\n"), head(b"X: " + LETTERS)),
    ("a chunk size and blanks", chunks(b"4" + BLANKS + b"\0\r\n"), head(b"X: " + LETTERS)),
    ("a chunk extension of blanks", chunks(b"4;" + BLANKS + b"\0\r\n"), head(b"X: " + LETTERS)),
    ("blanks and chunk extensions", chunks(b"4" + b" ;" * (SIZE // 2) + b"\0\r\n"),
     head(b"X: " + LETTERS)),
    ("a chunk extension of words", chunks(b"4;" + b"a=b;" * (SIZE // 4) + b"\0\r\n"),
     head(b"X: " + LETTERS)),
    ("a trailer of blanks", chunks(b"0\r\nX:" + BLANKS + b"\0\r\n\r\n"), head(b"X: " + LETTERS)),
    ("a status of blanks", told("200 " + " " * SIZE + "\0"), told("200 " + "a" * SIZE)),
    ("a status of digits", told("2" * SIZE), told("200 " + "a" * SIZE)),
    ("a header of the application", told("200 OK", ["X", " " * SIZE + "\0"]),
     told("200 OK", ["X", "a" * SIZE])),
    ("a name of the application", told("200 OK", ["a" * SIZE + "\0", "a"]),
     told("200 OK", ["X", "a" * SIZE])),
    ("a length of the application", told("200 OK", ["Content-Length", "9" * SIZE]),
     told("200 OK", ["X", "a" * SIZE])),
]


@every_complete_stage
@pytest.mark.parametrize(("hostile", "harmless"), [
    pytest.param(*requests, id=name) for name, *requests in LONG])
def test_what_is_long_and_wrong_is_refused_as_fast_as_what_is_right_is_served(
        stage, hostile, harmless, serve):
    """No pattern tries two ways to share out the same bytes. The quickest of three counts."""
    server = serve(stage)
    right = max(seconds(lambda: lab.ask(server.port, harmless, hang_up=True)) for _ in range(3))
    times = []
    while len(times) < 3 and max(times, default=0) < 1:
        answer = lab.ask(server.port, hostile, hang_up=True, timeout=25)
        assert answer.status in REFUSALS, answer
        times.append(answer.end)
    assert min(times) < 10 * max(right, 0.02), f"{times} s; the harmless one took {right:.3f} s."


@linux_only
@every_complete_stage
@pytest.mark.parametrize("block", [16_384, 65_536, 100 * MIB], ids="blocks of {}".format)
def test_100_megabytes_by_write_cost_no_more_than_as_blocks(stage, block, start):
    """The client reads more slowly than the application writes: what waits for it must not be
    copied again and again."""
    server = start(stage)
    before = peak_of(server)

    def cost(name):
        begin = lab.cpu_seconds(server.members())
        with lab.connect(server.port, timeout=25) as client:
            client.sendall(get(f"/{name}?{100 * MIB},{block}", version="1.0"))
            assert read_all(client, pause=0.01) >= 100 * MIB
        return lab.cpu_seconds(server.members()) - begin

    as_blocks, by_write = cost("returns_blocks"), cost("writes_blocks")
    assert by_write < 4 * as_blocks + 0.4, f"CPU time {by_write:.1f} s, as blocks {as_blocks:.1f}."
    if block < MIB:
        assert peak_of(server) - before < 20, "MiB more than before"


def peak_of(server):
    return int(fetch(server, "/says_peak").body)


@linux_only
@every_complete_stage
def test_write_to_a_client_that_does_not_read_is_given_up_and_bounded(stage, start):
    server = start(stage, TIMEOUT=1)
    with nothing_left(server):
        before = peak_of(server)
        with lab.connect(server.port) as client:
            client.sendall(get(f"/writes_blocks?{100 * MIB},65536"))
            assert lab.eventually(lambda: "no more to write\n" in server.stderr)
            assert fetch(server, "/says_pid").status == 200
            assert peak_of(server) - before < 20, "MiB were kept for a client that does not read."
            assert lab.eventually(lambda: server_is_through(server, client)), "It is not given up."


def server_is_through(server, client):
    """Whether no process of the server has the connection any more."""
    address = client.getsockname()
    return not [end for end in lab.connections(server.port)
                if end.foreign == address and end.local[1] == server.port and end.inode]


# Turns: nobody has more than his own


@every_concurrent_stage
def test_5000_pipelined_requests_hold_up_nobody(stage, start):
    server = start(stage)
    answers = []
    short = b"GET /takes_a_millisecond HTTP/1.1\r\nHost:\r\n\r\n"

    def read():
        while data := client.recv(MIB):
            answers.extend([1] * data.count(b"HTTP/1.1 200"))

    with lab.connect(server.port, timeout=30) as client, in_background(read), \
            in_background(client.sendall, short * 5000):
        assert lab.eventually(lambda: answers)
        assert fetch(server, "/says_pid").status == 200
        came = len(answers)
        client.shutdown(socket.SHUT_RDWR)
    assert came < 500, f"Another client waited until {came} of the 5,000 were answered."


@every_complete_stage
def test_pipelined_requests_that_are_many_and_small_are_all_answered(stage, start):
    """Those that keep connections answer all; the iterative ones the first, and then they close."""
    server = start(stage)
    with lab.connect(server.port, timeout=30) as client:
        stream = Stream(client)
        requests = get("/says_pid") * 300 + get("/says_pid", CLOSE)
        with in_background(client.sendall, requests):
            count = 301 if stage.keeps_alive else 1
            assert {next_answer(stream).status for _ in range(count)} == {200}
        assert stream.read() == b""


UPLOADS = {  # the head's line, and a body of which the next bytes are always there
    "length": (b"Content-Length: %d" % (600 * MIB), [bytes(MIB)] * 600),
    "small chunks": (b"Transfer-Encoding: chunked", [b"1\r\na\r\n" * 100_000] * 30),
}


@every_concurrent_stage
@pytest.mark.parametrize("kind", UPLOADS)
def test_upload_that_never_pauses_holds_up_nobody(stage, kind, start):
    """Its first bytes are there before its connection is accepted; then comes another client."""
    server = start(stage)
    framing, blocks = UPLOADS[kind]
    over = threading.Event()
    [worker] = lab.children(server.pid)
    freeze(worker.pid)

    def upload():
        for block in blocks:
            client.sendall(block)
        over.set()

    with lab.connect(server.port, timeout=30) as client:
        client.sendall(post(framing, body=b"").replace(b"/hello", b"/leaves_the_body"))
        with in_background(upload), lab.connect(server.port) as other:
            time.sleep(0.1)
            other.sendall(get("/says_pid", CLOSE))
            os.kill(worker.pid, signal.SIGCONT)
            answer = lab.read_until(other, b"no such end")
            held_up = over.is_set()
            client.shutdown(socket.SHUT_RDWR)
    assert b"200 OK" in answer
    assert not held_up, "The other client was answered when the upload was over."


# Time limits are the client's, not the application's


@every_complete_stage
def test_client_that_asked_in_time_is_answered_however_long_the_one_before_took(
        stage, start, folder):
    """All threads are busy for three times TIMEOUT; the request has been there all the while."""
    server = start(stage, TIMEOUT=0.5)
    with busy(server, stage, folder, 1.5), lab.connect(server.port) as client:
        client.sendall(get("/says_pid", CLOSE))
        answer = lab.read_until(client, b"no such end")
    assert answer.startswith(b"HTTP/1.1 200 "), answer


@every_concurrent_stage
@pytest.mark.parametrize("cut", [0, 20], ids=["kept connection", "half a head"])
def test_client_that_goes_on_in_time_is_answered_however_long_another_took(
        stage, cut, start, folder):
    """It has been let in before; the rest of its request comes in time, but nobody looks."""
    server = start(stage, TIMEOUT=1)
    request = get("/says_pid", CLOSE)
    with lab.connect(server.port) as client:
        client.sendall(get("/says_pid"))
        assert next_answer(Stream(client)).status == 200
        client.sendall(request[:cut])
        time.sleep(0.2)
        with busy(server, stage, folder, 2.5):
            client.sendall(request[cut:])
        answer = lab.read_until(client, b"no such end")
    assert answer.startswith(b"HTTP/1.1 200 "), answer


@contextmanager
def busy(server, stage, folder, seconds):
    """All that may call the application is busy with it, for so many seconds from the start on."""
    clients = []
    for _ in range(max(1, stage.threads)):
        client = lab.connect(server.port)
        client.sendall(get(f"/waits?{folder}/come", CLOSE))
        clients.append(client)
    time.sleep(0.2)
    timer = threading.Timer(seconds, (folder / "come").touch)
    timer.start()
    yield
    timer.join()
    for client in clients:
        assert b"waited" in lab.read_until(client, b"waited")
        client.close()


@each([variant for variant in COMPLETE if variant.threads])
def test_clients_that_need_no_thread_are_served_while_all_are_busy(stage, start, folder):
    server = start(stage)
    with busy(server, stage, folder, 2):
        assert lab.ask(server.port, line(b"BAD")).status == 400
        assert not (folder / "come").exists(), "It waited for a thread."


@every_complete_stage
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_stream_may_take_longer_than_timeout(stage, version, start):
    """Its blocks are a third of TIMEOUT apart; all of them take three times as long as it."""
    server = start(stage, TIMEOUT=0.6)
    with lab.connect(server.port) as client:
        client.sendall(get("/paces?10", CLOSE, version=version))
        assert next_answer(Stream(client)).body == b"." * 10


@every_complete_stage
def test_stream_to_a_slow_reader_may_take_longer_than_timeout(stage, start):
    server = start(stage, TIMEOUT=0.5)
    with slow_reader(server) as client:
        client.sendall(get(f"/returns_blocks?{12 * MIB},65536", version="1.0"))
        begin = time.monotonic()
        assert read_all(client, 65536, pause=0.01) > 12 * MIB
        assert time.monotonic() - begin > 1.5, "it took three times TIMEOUT in all"


# The end of a connection


@every_complete_stage
@pytest.mark.parametrize("more", [b"\r\n", b"\r\nGET / HTTP/1.1\r\n\r\n", bytes(300_000)],
                         ids=["CRLF", "a request", "300 KB"])
def test_answer_arrives_whole_though_the_client_has_sent_too_much(stage, more, start):
    """RFC 9112, 9.6: to close with bytes unread would reset the connection, and lose the answer."""
    server = start(stage)
    with slow_reader(server) as client:
        client.sendall(post(b"Content-Length: 4", CLOSE).replace(b"/hello", b"/streams?3"))
        came = len(client.recv(1000))
        with in_background(client.sendall, more), suppress(ConnectionResetError):
            while block := client.recv(65536):
                came += len(block)
                time.sleep(0.005)
    assert came > 3 * MIB, f"Of 3 MiB came {came} bytes."


def slow_reader(server):
    """A connection whose kernel takes little in advance of its reader."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.settimeout(10)
    client.connect(("127.0.0.1", server.port))
    return client


@every_complete_stage
def test_refusal_arrives_though_the_client_goes_on_sending(stage, start):
    """It sends for a while that is less than TIMEOUT, and then it reads."""
    server = start(stage, TIMEOUT=5)
    with lab.connect(server.port, timeout=5) as client:
        client.sendall(line(b"BAD"))
        with suppress(ConnectionError):
            for _ in range(30):
                time.sleep(0.05)
                client.sendall(bytes(10_000))
        answer = b""
        with suppress(ConnectionError):
            answer = lab.read_until(client, b"no such end")
    assert answer.startswith(b"HTTP/1.1 400 ")


@linux_only
@every_complete_stage
@pytest.mark.parametrize("request_", [
    post(b"Content-Length: 4", CLOSE).replace(b"/hello", b"/echoes"), line(b"BAD")],
    ids=["200", "400"])
def test_server_reads_on_after_its_last_answer_but_not_for_ever(stage, request_, start):
    """Until the client closes, or TIMEOUT is over, however much it sends."""
    server = start(stage, TIMEOUT=1)
    with nothing_left(server), lab.connect(server.port) as client:
        client.sendall(request_)
        begin = time.monotonic()
        assert lab.read_until(client, b"no such end"), "the server says at once that it is done"
        assert time.monotonic() - begin < 0.9
        with suppress(ConnectionError):
            while time.monotonic() - begin < 10:
                client.sendall(b"more")
                time.sleep(0.05)
        took = time.monotonic() - begin
    assert 0.7 < took < 9, f"The server let go of it after {took:.2f} s."


# Applications that raise what nobody expects


@every_complete_stage
@pytest.mark.parametrize("name", various.ERRORS)
def test_error_of_the_application_ends_nothing_but_its_answer(stage, name, start):
    """500, or a body that is cut off; a client that is in stays in, and no process dies."""
    server = start(stage)
    family = set(server.members())
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=10)) as bystander:
        for when in ("before", "after", "close"):
            assert asked(bystander, "/says_pid") == 200
            peer = bystander.sock and bystander.sock.getsockname()
            before = len(server.stderr)
            raises(server, f"/raises_any/{name}/{when}", when)
            if (name, when) != ("StopIteration", "after"):  # there it is the end, as always
                assert lab.eventually(lambda before=before: name in server.stderr[before:], 3), when
                assert "Traceback" in server.stderr[before:], when
            assert asked(bystander, "/says_pid") == 200
            assert (bystander.sock and bystander.sock.getsockname()) == peer, "it is cut off"
    assert set(server.members()) == family, server.stderr


def asked(client, path):
    """The status; the connection stays open if the server lets it."""
    client.request("GET", path)
    answer = client.getresponse()
    answer.read()
    return answer.status


def raises(server, path, when):
    if when == "before":
        assert fetch(server, path).status == 500
    elif when == "after":
        with pytest.raises(IncompleteRead) as error:
            fetch(server, path)
        assert error.value.partial == b"one "
    else:
        assert fetch(server, path).body == b"one two"


@every_complete_stage
def test_oserror_of_close_is_not_taken_for_a_client_that_left(stage, start):
    server = start(stage)
    assert fetch(server, "/returns_closable?oserror").body == b"one two"
    assert lab.eventually(lambda: "could not remove its file" in server.stderr), server.stderr
    assert "Traceback" in server.stderr


# Want of room, and of descriptors


@needs("bash")
@every_complete_stage
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [3_000_000, 2 * MIB + 100])
def test_upload_that_finds_no_room_gets_507(stage, size, chunked, servers):
    """No file may have more than 2 MiB: to the server that is a full disk."""
    server = servers.enter_context(lab.start(
        ["bash", "-c", 'ulimit -f 2048 && exec "$@"', "bash",
         *lab.stage_command(stage.stage, *arguments(stage, workers=1))], honest=True))
    body = iter([bytes(100_000)] * (size // 100_000) + [bytes(size % 100_000)]) if chunked \
        else bytes(size)
    assert fetch(server, "/says_size", "POST", bytes(1_500_000)).body == b"1500000"
    before = settled(server)
    answer = fetch(server, "/says_size", "POST", body, encode_chunked=chunked)
    assert answer.status == 507
    assert lab.eventually(lambda: server.stderr), "Nobody is told."
    assert len(server.stderr.splitlines()) == 1, server.stderr
    assert fetch(server, "/says_size", "POST", bytes(1_500_000)).body == b"1500000"
    assert lab.eventually(lambda: held(server) == before), (before, held(server))


@needs("bash")
@every_complete_stage
def test_upload_for_which_no_descriptor_is_left_gets_507(stage, start):
    """The application has taken all that there were beside its own connection."""
    server = start(stage, files=64)
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
        assert asked(client, "/takes_descriptors") == 200
        client.request("POST", "/says_size", bytes(3_000_000), {"Connection": "keep-alive"})
        answer = client.getresponse()
        assert answer.status == 507
        answer.read()
    assert lab.eventually(lambda: server.stderr), "Nobody is told."
    assert "Traceback" not in server.stderr
    assert server.exit_status is None


@needs("bash")
@every_complete_stage
def test_server_whose_output_nobody_reads_serves_on(stage, servers):
    """`server 2>&1 | head -1`: what is said on a request goes nowhere, the answers come."""
    server = servers.enter_context(lab.start(
        ["bash", "-c", '"$@" 2>&1 | head -1', "bash",
         *lab.stage_command(stage.stage, *arguments(stage, QUIET, workers=1))], honest=True))
    assert lab.eventually(lambda: not [pid for pid in server.members()
                                       if (lab.process(pid) or [""])[-1].startswith("head")])
    for _ in range(3):
        assert fetch(server, "/says_pid").status == 200
        assert fetch(server, "/raises/now").status == 500
        assert lab.ask(server.port, line(b"BAD")).status == 400
        lab.reset(lab.connect(server.port))
        with pytest.raises(IncompleteRead):
            fetch(server, "/raises_after_a_block?9")
    if stage.concurrent:
        for _ in range(2):
            os.kill(int(fetch(server, "/says_pid").body), signal.SIGKILL)
            assert lab.eventually(lambda: lab.ask(server.port, get("/a", CLOSE)).status == 200)
    assert server.exit_status is None


# Memory


def numbered(size):
    """A request that is never the same, with so many bytes: a function of its number."""
    return lambda number: get("/says_pid", b"X: " + b"%d" % number + b"a" * size)


SHAPES = {  # how often it is asked, and a request that is never the same, or its answer is not
    "a header of 60 KB": (1000, numbered(SIZE)),
    "a head of 1.9 KB": (6000, numbered(1850)),
    "30 headers of 1.9 KB": (1000, lambda number: get("/says_pid", *[
        b"X-%d: %d" % (each, number) + b"a" * 1900 for each in range(30)])),
    "a name of 60 KB": (1000, lambda number: get(
        "/says_pid", b"X%d" % number + LETTERS + b": a")),
    "a path of 60 KB": (1000, lambda number: get(f"/says_pid/{number}" + "a" * SIZE)),
    "a query of 60 KB": (1000, lambda number: get(f"/says_pid?{number}" + "a" * SIZE)),
    "a Host of 60 KB": (1000, lambda number: head(
        start=b"GET /says_pid HTTP/1.1", host=b"Host: a%d" % number + LETTERS)),
    "an authority of 60 KB": (1000, lambda number: get(
        f"http://a{number}{'a' * SIZE}/says_pid")),
    "a method of 60 KB": (1000, lambda number: line(
        b"A%d" % number + LETTERS + b" /says_pid HTTP/1.1")),
    "a header of 60 KB from the application": (
        1000, lambda number: get(f"/says_long_header?{SIZE}")),
    "a header of 1.9 KB from the application": (
        6000, lambda number: get("/says_long_header?1900")),
}


@linux_only
@every_concurrent_stage
@pytest.mark.parametrize("shape", SHAPES)
def test_heads_that_differ_do_not_fill_the_memory(stage, shape, start):
    """Of all these nothing stays but what a bounded cache holds."""
    server = start(stage)
    count, request = SHAPES[shape]
    with lab.connect(server.port, timeout=20) as client:
        stream = Stream(client)

        def ask(numbers):
            for number in numbers:
                client.sendall(request(number))
                assert next_answer(stream).status == 200

        ask(range(20))
        before = lab.memory(server.members(), "RSS")
        ask(range(20, count))
        grown = (lab.memory(server.members(), "RSS") - before) / MIB
    assert grown < 8, f"The server grew by {grown:.0f} MiB."


# What it says, and to whom


@every_concurrent_stage
@pytest.mark.parametrize("end", [lab.reset, socket.socket.close], ids=["resets", "leaves"])
def test_request_whose_client_left_stands_in_the_log_as_aborted(stage, end, start):
    server = start(stage)
    client = lab.connect(server.port)
    client.sendall(get("/streams"))
    assert client.recv(1000)
    end(client)
    assert_logged(server, "127.0.0.1 'GET /streams HTTP/1.1' 200 aborted")


@every_concurrent_stage
def test_request_whose_client_left_before_the_answer_stands_in_the_log_as_aborted(stage, start):
    server = start(stage)
    client = lab.connect(server.port)
    client.sendall(post(b"Content-Length: 5").replace(b"/hello", b"/cut"))
    time.sleep(0.1)
    lab.reset(client)
    assert_logged(server, "127.0.0.1 'POST /cut HTTP/1.1' - aborted")


@every_concurrent_stage
def test_request_whose_client_does_not_read_stands_in_the_log_as_aborted(stage, start):
    server = start(stage, TIMEOUT=0.5)
    with lab.connect(server.port) as client:
        client.sendall(get("/streams"))
        assert_logged(server, "127.0.0.1 'GET /streams HTTP/1.1' 200 aborted")


@every_concurrent_stage
def test_request_whose_application_failed_halfway_stands_in_the_log_as_aborted(stage, start):
    server = start(stage)
    with pytest.raises(IncompleteRead):
        fetch(server, "/raises_after_a_block?9")
    assert_logged(server, "127.0.0.1 'GET /raises_after_a_block?9 HTTP/1.1' 200 aborted")


def assert_logged(server, entry):
    """This line stands in the log, and there is but one of the request."""
    assert lab.eventually(lambda: entry in server.stdout.splitlines(), 5), server.stdout
    path = entry.split()[2]
    assert server.stdout.count(path) == 1, server.stdout


@every_complete_stage
def test_nothing_that_a_client_sends_can_steer_a_terminal(stage, start):
    """Escape sequences in every part of a request, served or refused: none comes through."""
    server = start(stage)
    steer = b"\x1b[31m\x9b31m\x07\x08\x7f\xe2\x80\xae"
    seven = bytes(byte for byte in steer if byte > 127)  # these may stand in a head
    for request in (line(b"GET /" + steer + b" HTTP/1.1"), line(steer + b" / HTTP/1.1"),
                    line(b"GET / " + steer), head(b"X: " + steer), head(steer + b": a"),
                    head(host=b"Host: " + steer), steer + b"\r\n\r\n",
                    line(b"GET /" + seven + b"?" + seven + b" HTTP/1.1"), head(b"X: " + seven),
                    get("/raises/" + "%1b[31m%0a%9b"), post(b"Content-Length: " + steer),
                    chunks(steer + b"\r\n"), post(b"Transfer-Encoding: " + seven)):
        lab.ask(server.port, request, hang_up=True)
    assert fetch(server, "/says_pid").status == 200
    assert lab.eventually(lambda: "/says_pid" in server.stdout)
    said = server.stdout + server.stderr
    assert not re.search(r"[^\n\x20-\x7e]", said), ascii(said)


# The last server's own


@every_complete_stage
def test_application_has_one_thread_for_all_of_a_request(stage, start):
    """Called, drawn from and closed there, though the client keeps it waiting for each block."""
    server = start(stage)
    bodies = []

    def read():
        bodies.append(fetch(server, "/says_threads").body)

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert [len(set(body.split())) for body in bodies] == [1] * 6
    assert_says(server, "closed by the same thread: True\n", 6)


@linux_only
@every_concurrent_stage
def test_small_blocks_do_not_wait_for_an_acknowledgement(stage, start):
    """TCP_NODELAY: without it the kernel would keep a small block back until the one before is
    acknowledged, which the client's kernel may put off by 40 ms."""
    server = start(stage)
    with lab.connect(server.port) as client:
        client.sendall(get("/says_pid"))
        assert next_answer(Stream(client)).status == 200
        with server_side(server, client) as copy:
            assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def server_side(server, client):
    """The other end of a client's connection, as a socket of ours: see pidfd_getfd(2)."""
    [inode] = [end.inode for end in lab.connections(server.port)
               if end.foreign == client.getsockname() and end.local[1] == server.port]
    [(pid, descriptor)] = lab.holders(inode, server.members())
    pidfd = os.pidfd_open(pid)
    number = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, descriptor, 0)
    os.close(pidfd)
    if number < 0:
        pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=number)


# All at once, for a while


HOSTILE = {  # what is sent, and how the client goes on
    "silent": b"",
    "garbage": RANDOM_BYTES[:5000],
    "half a head": get("/says_pid")[:30],
    "endless head": b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 20_000,
    "one huge header": head(b"X:" + BLANKS * 2),
    "refused": line(b"BAD"),
    "upload that stops": post(b"Content-Length: 9000000", body=bytes(3_000_000)),
    "chunks that stop": chunks(b"fffff0\r\n" + bytes(3_000_000)),
    "reads nothing": get("/streams?50"),
    "reads nothing that is written": get(f"/writes_blocks?{20 * MIB},65536"),
    "pipelines and reads nothing": get("/streams?1") * 200,
    "error": get("/raises_any/CancelledError/after"),
    "asks and is gone": get("/naps"),
}


def be_hostile(port, over, number):
    """One client after another, each of another kind; half of them reset their connection."""
    kinds = itertools.cycle(HOSTILE.values())
    for request in itertools.islice(kinds, number, None):
        if over.is_set():
            return
        with suppress(OSError), lab.connect(port, timeout=1) as client:
            client.settimeout(0.2)
            with suppress(TimeoutError):
                client.sendall(request)
                client.recv(100)
            over.wait(random.uniform(0, 0.5))
            if random.random() < 0.5:
                lab.reset(client)


def be_slow(port, over):
    """A byte now and then, of a request that is never whole."""
    while not over.is_set():
        with suppress(OSError), lab.connect(port, timeout=1) as client:
            for byte in head(b"X: " + LETTERS):
                if over.wait(0.05):
                    return
                client.sendall(bytes([byte]))


def be_good(server, over, patience):
    """Ask and upload, until it is over; how often it was answered, and what went wrong."""
    answered, wrong = 0, []
    while not over.is_set():
        for path, body in (("/says_pid", b""), ("/returns_generator", b""),
                           ("/says_size", bytes(2_000_000))):
            answer = lab.ask(server.port, post(b"Content-Length: %d" % len(body), CLOSE, body=body)
                             .replace(b"/hello", path.encode()), timeout=patience)
            answered += 1
            if answer.status != 200 or answer.error:
                wrong.append((path, answer))
    return answered, wrong


def beset(server, duration, patience):
    """Hostile clients for so many seconds; what a good one beside them met."""
    over = threading.Event()
    clients = [threading.Thread(target=be_hostile, args=(server.port, over, number))
               for number in range(8)]
    clients += [threading.Thread(target=be_slow, args=(server.port, over)) for _ in range(4)]
    timer = threading.Timer(duration, over.set)
    for thread in (timer, *clients):
        thread.start()
    answered, wrong = be_good(server, over, patience)
    for thread in (timer, *clients):
        thread.join()
    return answered, wrong


@linux_only
@pytest.mark.timeout(180 + 2 * SOAK)
@every_complete_stage
def test_soak(stage, start_stage):
    """Good clients are served beside hostile ones, and afterwards all is as it was: SOAK=600 in
    the environment makes it ten minutes. A server that serves one at a time is late, no more."""
    server = start_stage(stage.stage, *arguments(stage), TIMEOUT=0.5)
    patience = 20 if stage.concurrent else 60
    beset(server, max(3, SOAK / 10), patience)  # the memory of threads takes a while to fill
    calm_down(server)
    family, before = settled(server), lab.memory(server.members(), "RSS") / MIB
    answered, wrong = beset(server, SOAK, patience)
    if not stage.concurrent:  # the queue has one place: some do not get in, whatever their patience
        wrong = [(path, answer) for path, answer in wrong if answer.connected is not None]
    assert not wrong, f"{len(wrong)} of {answered} went wrong, such as {wrong[:3]}"
    calm_down(server)
    assert lab.eventually(lambda: held(server) == family, 20, 0.2), (family, held(server))
    grown = lab.memory(server.members(), "RSS") / MIB - before
    assert grown < 15, f"The server grew from {before:.0f} MiB by {grown:.0f} MiB."


def calm_down(server):
    """All that was asked has been answered, and all that are late have been given up."""
    time.sleep(1.5)
    for _ in range(5):
        assert fetch(server, "/says_pid").status == 200
