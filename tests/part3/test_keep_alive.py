"""Claim 3.31: a connection stays open for the next request, and both see where a message ends."""

import threading
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead

import pytest

import lab
from tests.helpers import complete
from tests.helpers.capstone import CLOSE, get
from tests.helpers.complete import Stream, chunks, fetch, next_answer, post
from tests.part2.test_refusals import ECHOES, REFUSED, rows

pytestmark = pytest.mark.claim("3.31")


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
    server = serve(complete.LAST, ECHOES)
    calls = server.stderr.count("called\n")
    with lab.connect(server.port) as client:
        stream = Stream(client)
        client.sendall(get("/good") + request_ + get("/smuggled"))
        assert [next_answer(stream).status for _ in range(2)] == [200, status]
        assert stream.read() == b""
    assert lab.ask(server.port).status == 200
    assert lab.eventually(lambda: server.stderr.count("called\n") == calls + 2)
