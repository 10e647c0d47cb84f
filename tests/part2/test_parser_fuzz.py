"""Requests that no one would think up: never a traceback, never two readings of one request.

hypothesis makes them out of the lines of test_refusals.py, by cutting, doubling and garbling. When
one breaks a promise it is made as short as it can be, and shown. Every run makes the same ones.
"""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

import lab
from tests.helpers.complete import COMPLETE, chunks, every_complete_stage, head, in_pieces
from tests.part2.test_refusals import REFUSED, SERVED

set_hypothesis_home_dir(lab.PROJECT / ".venv/hypothesis")  # not into the top folder
READING = "tests.apps.various:says_reading"
STATUSES = {200, 400, 408, 413, 414, 417, 431, 501, 505}
SEEDS = [row[1] for row in REFUSED + SERVED if len(row[1]) < 1000]
CRUMBS = [b"\r\n", b"\r", b"\n", b"\r\n\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x1f", b"\x85",
          b"\xa0", b"\xff", *(bytes([byte]) for byte in b":,;_-+/*?%#[]@04fx"), b"//", b"%00",
          b"chunked", b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"Content-Length: 4\r\n",
          b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"4\r\nbody\r\n"]


@st.composite
def garbled(draw):
    """A request with up to four changes: some bytes out, a crumb in."""
    request = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(request)))
        end = start + draw(st.integers(0, 4))
        crumb = draw(st.sampled_from(CRUMBS) | st.binary(max_size=3))
        request = request[:start] + crumb + request[end:]
    return request


def crumbled():
    return st.lists(st.sampled_from(CRUMBS), max_size=20).map(b"".join)


REQUESTS = garbled() | crumbled() | st.binary(max_size=200)
fuzz = settings(derandomize=True, deadline=None, database=None,
                suppress_health_check=list(HealthCheck))


@pytest.fixture
def server(serve, stage):
    """It starts before the test: hypothesis seeds the random numbers there, by which servers that
    start in several processes choose their ports."""
    return serve(stage, READING)


@pytest.fixture
def all_servers(serve):
    return {stage.name: serve(stage, READING) for stage in COMPLETE}


def final(answer):
    """The Answer without the interim response before it, where a client was told to go on."""
    answer.data = answer.data.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    return answer


def reading(answer):
    """What became of a request: its status, or what the application read if it was called."""
    answer = final(answer)
    if answer.status != 200:
        return answer.status
    length = int(answer.headers["content-length"])
    return answer.body[:length].decode()


def written_plainly(reading):
    """A request that leaves no room for doubt, with what the application read."""
    read = json.loads(reading)
    names = [name for name in read if name.startswith("HTTP_")]
    lines = [f"{name[5:].replace('_', '-')}: {read[name]}" for name in names]
    lines += [f"Content-Length: {len(read['body'])}"]
    lines += [f"Content-Type: {read['CONTENT_TYPE']}"] * bool(read["CONTENT_TYPE"])
    target = quote(read["PATH_INFO"].encode("latin-1")) + "?" + read["QUERY_STRING"]
    request_line = f"{read['REQUEST_METHOD']} {target} {read['SERVER_PROTOCOL']}"
    return "\r\n".join([request_line, *lines, "", read["body"]]).encode("latin-1")


@every_complete_stage
@given(request=REQUESTS)
@settings(fuzz, max_examples=80)
def test_any_bytes_get_an_answer_or_the_end_and_never_a_traceback(server, request):
    before = len(server.stderr)
    answer = final(lab.ask(server.port, request, hang_up=True))
    assert answer.end is not None, f"no end of the connection: {answer!r}"
    assert answer.status in STATUSES or not request.strip(b"\r\n")
    assert server.stderr[before:] == ""
    assert server.exit_status is None, server.stderr


@every_complete_stage
@given(request=garbled())
@settings(fuzz, max_examples=80)
def test_what_is_served_reads_the_same_when_it_is_written_plainly(server, request):
    read = reading(lab.ask(server.port, request, hang_up=True))
    if isinstance(read, str) and read:
        again = reading(lab.ask(server.port, written_plainly(read), hang_up=True))
        assert json.loads(again) == json.loads(read)


@given(request=REQUESTS)
@example(request=head(b"Content-Length: 4", b"Content-Length: 4") + b"body")
@example(request=chunks(b"4 \r\nbody\r\n0\r\n\r\n"))
@example(request=head(start=b"GET http://a@b/ HTTP/1.1"))
@example(request=head(start=b"GET ftp://localhost/ HTTP/1.1"))
@example(request=head(start=b"CONNECT localhost:80 HTTP/1.1"))
@example(request=head(start=b"GET / HTTP/1.2"))
@example(request=chunks(b"0\r\n\r\n", b"Transfer-Encoding: chunked"))
@example(request=b"\r\n\r\n" + head())
@settings(fuzz, max_examples=80)
def test_all_servers_read_a_request_alike(all_servers, request):
    readings = {name: reading(lab.ask(server.port, request, hang_up=True))
                for name, server in all_servers.items()}
    different = {"refused" if isinstance(read, int) else read for read in readings.values()}
    assert len(different) == 1, f"{request!r} is read as {readings}"


@every_complete_stage
@given(request=REQUESTS, places=st.lists(st.integers(0, 200), min_size=1, max_size=3))
@settings(fuzz, max_examples=40)
def test_request_reads_the_same_in_any_number_of_pieces(server, request, places):
    ends = sorted({min(place, len(request)) for place in places}) + [len(request)]
    pieces = [request[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    whole = reading(lab.ask(server.port, request, hang_up=True))
    assert reading(in_pieces(server.port, pieces)) == whole, f"in pieces: {pieces}"
