"""Claims 3.29 and 3.30: one loop serves many clients, and nobody waits for another client."""

import threading

import pytest

import lab
from tests.helpers.capstone import CLOSE, get, workers
from tests.helpers.complete import Stream, chunks, fetch, in_pieces, next_answer, post
from tests.helpers.scripts import linux_only


@pytest.mark.claim("3.29")
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


@pytest.mark.claim("3.29")
def test_client_that_does_not_read_holds_up_nobody(start):
    server = start("--workers", "1")
    with lab.connect(server.port) as client:
        client.sendall(get("/streams"))
        assert client.recv(1000)
        for _ in range(10):
            assert fetch(server, "/says_pid").status == 200


@pytest.mark.claim("3.30")
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


@pytest.mark.claim("3.30")
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
