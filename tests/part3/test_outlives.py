"""What 2j and 3z outlive, with no descriptor, process or memory left behind."""

import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from http.client import IncompleteRead, RemoteDisconnected
from statistics import median

import pytest

import lab
from tests.helpers.complete import (
    LAST,
    Variant,
    arguments,
    drip,
    every_complete_stage,
    every_concurrent_stage,
    fetch,
    head,
    post,
)
from tests.helpers.scripts import linux_only, needs, seconds
from tests.spec.subject import living, nonblocking

pytestmark = pytest.mark.thorough

REQUEST = post(b"Content-Length: 4", b"Connection: close").replace(b"/hello", b"/echoes")
STREAM = head(b"Connection: close", start=b"GET /streams?50 HTTP/1.1")
MEGABYTE = 1 << 20
FORKING = Variant("3h", "3h", keeps_alive=False)


@pytest.fixture
def start(start_stage):
    """start(stage) starts it with the applications of tests/apps/various.py, and one worker."""
    def start(stage, **options):
        return start_stage(stage.stage, *arguments(stage, workers=1), **options)
    return start


@contextmanager
def nothing_left(server):
    """Fails unless the server has the same processes afterwards, each with as many descriptors.

    Asks it now and then, for a child that ends at a bad moment is reaped with the next client.
    """
    for _ in range(5):
        assert fetch(server, "/says_pid").status == 200
    before = settled(server)
    yield
    same = lab.eventually(lambda: held(server) == before or not fetch(server, "/says_pid"), 20, 0.1)
    assert same, f"Descriptors by process were {before}, and are {held(server)}. {server.stderr}"
    assert "Traceback" not in server.stderr


def held(server):
    """How many descriptors each of the server's processes has; a zombie has none."""
    return {pid: lab.descriptor_count(pid) for pid in server.members()}


def settled(server):
    """held(server), once it has been the same for a while."""
    seen = [held(server)]
    lab.eventually(lambda: seen.append(held(server)) or seen[-3:] == [seen[-1]] * 3, 10, 0.05)
    return seen[-1]


def assert_says(server, words, times):
    """It has said, or says soon, these words so many times on stderr."""
    assert lab.eventually(lambda: server.stderr.count(words) == times), server.stderr


def leave(client):
    client.close()


# Clients that leave


@every_complete_stage
@pytest.mark.parametrize("go", [lab.reset, leave], ids=["resets", "leaves"])
def test_client_that_goes_at_any_byte_of_its_request(stage, go, start):
    server = start(stage)
    with nothing_left(server):
        for length in range(len(REQUEST) + 1):
            client = lab.connect(server.port)
            client.sendall(REQUEST[:length])
            go(client)
            assert fetch(server, "/says_pid").status == 200
    assert server.stderr.count("called\n") <= 1, "the application is called for whole requests only"


@every_complete_stage
@pytest.mark.parametrize("go", [lab.reset, leave], ids=["resets", "leaves"])
def test_client_that_goes_at_any_byte_of_the_answer(stage, go, start):
    server = start(stage)
    whole = len(lab.ask(server.port, REQUEST).data)
    with nothing_left(server):
        for length in range(1, whole, 3):
            client = lab.connect(server.port)
            client.sendall(REQUEST)
            assert client.recv(length)
            go(client)


@every_complete_stage
@pytest.mark.parametrize("go", [lab.reset, leave], ids=["resets", "leaves"])
def test_client_that_goes_during_a_stream_of_50_megabytes(stage, go, start):
    """The application is told by close(), and draws no more."""
    server = start(stage)
    with nothing_left(server):
        for number in range(1, 4):
            client = lab.connect(server.port)
            client.sendall(STREAM)
            for _ in range(20):
                assert client.recv(65536)
            go(client)
            assert_says(server, "closed\n", number)
        assert server.stderr.count("a megabyte\n") < 3 * 40


@every_complete_stage
def test_client_that_goes_while_the_application_works(stage, start, folder):
    """It finds out when it sends the answer; the next client is served."""
    server = start(stage)
    with nothing_left(server):
        for number in range(3):
            client = lab.connect(server.port)
            client.sendall(head(start=f"GET /waits?{folder}/{number} HTTP/1.1".encode()))
            time.sleep(0.05)
            lab.reset(client)
            (folder / str(number)).touch()
        assert fetch(server, "/says_pid").status == 200


# Clients that are slow


@every_complete_stage
def test_client_that_sends_50_bytes_a_second(stage, start):
    server = start(stage)
    with nothing_left(server), lab.connect(server.port) as client:
        assert drip(client, REQUEST, 0.02).endswith(b"body")


@every_complete_stage
def test_client_that_reads_slowly_gets_all_of_it(stage, start):
    """The server waits for room in the socket's buffer, again and again; TIMEOUT is for each block.
    """
    server = start(stage, TIMEOUT=2)
    with nothing_left(server), lab.connect(server.port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(head(start=b"GET /streams?8 HTTP/1.0"))
        size = 0
        while block := client.recv(32768):
            size += len(block)
            time.sleep(0.01)
    assert size > 8 * MEGABYTE


@every_complete_stage
def test_client_that_stops_reading_is_given_up(stage, start):
    """After TIMEOUT seconds without room for one byte more; the application is told by close()."""
    server = start(stage, TIMEOUT=0.5)
    with nothing_left(server), lab.connect(server.port) as client:
        client.sendall(STREAM)
        assert_says(server, "closed\n", 1)


@contextmanager
def dripping(port, clients, data):
    """That many clients that send a byte a second each, at different moments, until they leave."""
    over = threading.Event()

    def send():
        for byte in data:
            for client in clients:
                if over.wait(1 / len(clients)):
                    return
                client.send(bytes([byte]))

    with ExitStack() as stack:
        clients = [stack.enter_context(lab.connect(port)) for _ in range(clients)]
        thread = threading.Thread(target=send)
        thread.start()
        stack.callback(thread.join)
        stack.callback(over.set)
        yield


def test_others_are_served_while_200_clients_send_a_byte_a_second(start):
    server = start(LAST)
    with nothing_left(server), dripping(server.port, 200, REQUEST):
        times = []
        while len(times) < 20:
            times.append(seconds(lambda: fetch(server, "/says_pid")))
            time.sleep(0.05)
    assert median(times) < 0.2, f"It took {max(times)} s at most; each: {times}"
    assert server.stderr == ""


# Much to send, much to receive


@linux_only
@every_complete_stage
def test_endless_body_is_drawn_as_fast_as_its_client_reads(stage, start):
    """And no faster: it stops drawing when the client stops reading, and goes on with it."""
    server = start(stage)
    with nothing_left(server), lab.connect(server.port) as client:
        before = lab.memory(server.members(), "RSS")
        client.sendall(head(start=b"GET /streams HTTP/1.1"))
        assert lab.read_until(client, b"\r\n\r\n")
        drawn = stops_growing(lambda: server.stderr.count("a megabyte\n"))
        assert drawn <= 20, f"The client read nothing; {drawn} MB were drawn for it."
        read = 0
        while read < 60 * MEGABYTE:
            read += len(client.recv(MEGABYTE))
        assert server.stderr.count("a megabyte\n") >= 60
        grown = (lab.memory(server.members(), "RSS") - before) / MEGABYTE
        assert grown < 20, f"The server's processes grew by {grown:.0f} MiB."


def stops_growing(count):
    """The count, once it is more than 0 and has not changed for half a second."""
    seen = [count()]
    lab.eventually(lambda: seen.append(count()) or seen[-1] and seen[-10:] == [seen[-1]] * 10,
                   10, 0.05)
    return seen[-1]


@linux_only
@every_complete_stage
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_request_body_of_40_megabytes_is_not_held_in_memory(stage, chunked, start):
    server = start(stage)
    with nothing_left(server):
        before = int(fetch(server, "/says_peak", "POST", b"small").body)
        body = iter([bytes(MEGABYTE)] * 40) if chunked else bytes(40 * MEGABYTE)
        after = int(fetch(server, "/says_peak", "POST", body, encode_chunked=chunked).body)
        assert after - before < 20, f"At most {before} MiB before, and {after} MiB with 40 MB."


# Applications that end badly


@every_complete_stage
def test_applications_that_fail(stage, start):
    """Each of them twenty times, before its headers are out and after. Tracebacks are theirs."""
    server = start(stage)
    fail(server)
    before = settled(server)
    for _ in range(20):
        fail(server)
    same = lab.eventually(lambda: held(server) == before or not fetch(server, "/says_pid"), 20, 0.1)
    assert same, f"Descriptors by process were {before}, and are {held(server)}."


def fail(server):
    for path in ("raises/now", "exits/now", "never_starts", "sends_no_latin1"):
        assert fetch(server, f"/{path}").status == 500
    for path in ("raises_after_a_block?9", "exits_after_a_block"):
        with pytest.raises(IncompleteRead):
            fetch(server, f"/{path}")


@every_concurrent_stage
def test_application_that_ends_its_process(stage, start):
    """The client sees the end of the connection; whoever comes next finds a process."""
    server = start(stage)
    many = len(server.members())
    for _ in range(4):
        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            fetch(server, "/ends_its_process")
        assert fetch(server, "/ends_its_process/hello").body == b"fine"
    assert lab.eventually(lambda: len(living(server)) == many)
    assert lab.eventually(
        lambda: set(server.members()) == living(server) or not fetch(server), 20, 0.1)


# Want of descriptors and of processes


@every_concurrent_stage
def test_300_clients_on_64_descriptors_are_late_and_not_lost(stage, start):
    server = start(stage, files=64)
    answers = lab.ask_at_once(server.port, 300, head(
        b"Connection: close", start=b"GET /says_pid HTTP/1.1"), timeout=40)
    lost = [answer for answer in answers if answer.status != 200]
    assert not lost, f"{len(lost)} of 300 clients were lost, such as {lost[0]}. {server.stderr}"
    assert server.exit_status is None


@needs("bash")
def test_500_clients_on_50_processes_are_late_and_not_lost(start_limited):
    """60 more are silent: until they leave, there is no process for any of the 500."""
    server = start_limited(FORKING, processes=50)
    answers = []
    with silent_clients(server, 60):
        assert lab.eventually(lambda: len(lab.children(server.pid)) > 40)
        asker = threading.Thread(target=lambda: answers.extend(lab.ask_at_once(
            server.port, 500, head(start=b"GET /naps HTTP/1.1"), timeout=40)))
        asker.start()
        time.sleep(0.5)
        assert not answers
    asker.join()
    lost = [answer for answer in answers if answer.status != 200]
    assert not lost, f"{len(lost)} of 500 clients were lost, such as {lost[0]}. {server.stderr}"
    assert lab.eventually(lambda: len(server.members()) == 1 or not fetch(server), 20, 0.1)


@linux_only
@needs("bash")
@pytest.mark.parametrize(("stage", "limit"), [
    (FORKING, {"processes": 30}), (LAST, {"files": 40})], ids=["3h", LAST.name])
def test_server_sleeps_while_it_has_too_few(stage, limit, start_limited):
    """50 clients are silent; the next one is served when they have left."""
    server = start_limited(stage, TIMEOUT=60, **limit)
    with silent_clients(server, 50):
        time.sleep(0.3)
        before = lab.cpu_seconds(server.members())
        time.sleep(0.7)
        used = lab.cpu_seconds(server.members()) - before
        assert used < 0.35, f"In 0.7 s it used {used:.2f} s of processor time."
    assert fetch(server, "/says_pid").status == 200
    assert server.exit_status is None


@needs("bash")
@every_concurrent_stage
def test_silent_clients_are_given_up_and_their_descriptors_are_for_others(stage, start_limited):
    server = start_limited(stage, TIMEOUT=1, files=40)
    with silent_clients(server, 50):
        assert fetch(server, "/says_pid").status == 200


@pytest.fixture
def start_limited(start):
    """start, where the system has what it takes to limit a server."""
    def start_limited(stage, **options):
        try:
            return start(stage, **options)
        except lab.ServerError as error:
            pytest.skip(str(error))
    return start_limited


@contextmanager
def silent_clients(server, clients):
    """So many connections on which nothing is sent, closed afterwards."""
    with ExitStack() as stack:
        for _ in range(clients):
            stack.enter_context(nonblocking(server.port))
        yield
