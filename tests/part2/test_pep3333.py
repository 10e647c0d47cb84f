"""Claim 2.9: webserver2j.py leaves out nothing of PEP 3333, and neither does 3z.

What an application is given, what it may do, and what it must not: RFC sections are named where
the rule is HTTP's.
"""

import email.utils
import io
import json
import time
from http.client import IncompleteRead
from urllib.parse import quote

import pytest

import lab
from tests.apps import various
from tests.helpers.complete import every_complete_stage, fetch, head, post

pytestmark = pytest.mark.claim("2.9")

DIRECTLY = "tests.apps.various:says_environ"
VALIDATED = "tests.apps.various:validated"
TEXT = ["Content-Type", "text/plain"]


def environ_of(text):
    """The dictionary that says_environ wrote, with the values as Python's repr."""
    return dict(line.split("=", 1) for line in text.decode().splitlines())


def environ_seen(server, *lines, start=b"GET /a HTTP/1.1"):
    """The environ that the application saw of a request."""
    request = head(b"Connection: close", *lines, start=start)
    return environ_of(lab.ask(server.port, request).body)


def told(server, status, headers, *blocks, method="POST"):
    """What comes of it when an application calls start_response so, and returns these blocks."""
    return fetch(server, "/starts_as_told", method, json.dumps([status, headers, *blocks]))


def raw(server, path, method="GET", body=b""):
    """The lab's Answer: every byte that came, as it came."""
    start = f"{method} {path} HTTP/1.1".encode()
    length = f"Content-Length: {len(body)}".encode()
    return lab.ask(server.port, head(b"Connection: close", length, start=start) + body)


def new_errors(server, before, words):
    """What the server wrote to stderr since, as soon as these words are in it."""
    lab.eventually(lambda: words in server.stderr[before:], 5)
    return server.stderr[before:]


def assert_error(server, answer, before, words="Traceback (most recent call last)"):
    """A 500 without details for the client; on stderr the traceback with these words."""
    assert answer.status == 500, f"Expected 500, saw {answer.status} {answer.body[:200]!r}."
    assert b"Traceback" not in answer.body
    shown = new_errors(server, before, words)
    assert "Traceback (most recent call last)" in shown
    assert words in shown
    assert fetch(server, "/says_pid").status == 200, "the server serves the next client"


# environ


@every_complete_stage
def test_environ_of_a_request(stage, serve):
    server = serve(stage, DIRECTLY)
    request = post(b"Content-Type: text/odd", b"Content-Length: 4", b"X-Probe: 1",
                   b"Connection: close").replace(b"/hello", b"/a%20b?c=d%20e", 1)
    environ = environ_of(lab.ask(server.port, request).body)
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=d%20e",
        "CONTENT_TYPE": "text/odd",
        "CONTENT_LENGTH": "4",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(server.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_X_PROBE": "1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": stage.threads > 1,
        "wsgi.multiprocess": stage.concurrent,
        "wsgi.run_once": False,
    }
    assert {name: environ.get(name) for name in expected} == {
        name: repr(value) for name, value in expected.items()}


@every_complete_stage
def test_environ_has_an_entry_for_what_is_not_there(stage, serve):
    environ = environ_seen(serve(stage, DIRECTLY))
    assert environ["QUERY_STRING"] == environ["SCRIPT_NAME"] == "''"
    assert environ.get("CONTENT_LENGTH", "''") in ("''", "'0'")
    assert environ.get("CONTENT_TYPE", "''") == "''"


@every_complete_stage
@pytest.mark.parametrize(("target", "path", "query"), [
    ("/", "/", ""),
    ("/?", "/", ""),
    ("/a?b?c", "/a", "b?c"),
    ("/a?b=%20+c/d", "/a", "b=%20+c/d"),
    ("/a+b", "/a+b", ""),
    ("/a%2fb%3Fc", "/a/b?c", ""),
    ("/%2541", "/%41", ""),
    ("/100%", "/100%", ""),
    ("/%zz%4", "/%zz%4", ""),
    ("/caf%C3%A9", "/caf\xc3\xa9", ""),
    ("/%ff%00", "/\xff\0", ""),
    ("//a//b/../c", "//a//b/../c", ""),
    ("http://localhost/a?b", "/a", "b"),
    ("http://localhost", "/", ""),
    ("http://localhost?b", "/", "b"),
    ("HTTP://localhost:80//a", "//a", ""),
])
def test_environ_of_a_target(stage, target, path, query, serve):
    """PATH_INFO is percent-decoded, once, to bytes that are written as latin-1."""
    environ = environ_seen(serve(stage, DIRECTLY), start=f"GET {target} HTTP/1.1".encode())
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (repr(path), repr(query))


@every_complete_stage
@pytest.mark.parametrize(("lines", "expected"), [
    ([b"X-A: b"], {"HTTP_X_A": "b"}),
    ([b"x-a: b"], {"HTTP_X_A": "b"}),
    ([b"X-A:b"], {"HTTP_X_A": "b"}),
    ([b"X-A: \t b \t"], {"HTTP_X_A": "b"}),
    ([b"X-A: b  c"], {"HTTP_X_A": "b  c"}),
    ([b"X-A:"], {"HTTP_X_A": ""}),
    ([b"X-A: caf\xc3\xa9"], {"HTTP_X_A": "caf\xc3\xa9"}),
    ([b"Content-Type: a", b"Content-Length: 0"], {
        "CONTENT_TYPE": "a", "CONTENT_LENGTH": "0", "HTTP_CONTENT_TYPE": None,
        "HTTP_CONTENT_LENGTH": None}),
    ([b"X_A: b"], {"HTTP_X_A": None}),
    ([b"X-A: b", b"X_A: c"], {"HTTP_X_A": "b"}),
    ([b"X_A: c", b"X-A: b"], {"HTTP_X_A": "b"}),
    ([b"Content_Length: 4"], {"HTTP_CONTENT_LENGTH": None}),
], ids=str)
def test_environ_of_headers(stage, lines, expected, serve):
    environ = environ_seen(serve(stage, DIRECTLY), *lines)
    assert {name: environ.get(name) for name in expected} == {
        name: None if value is None else repr(value) for name, value in expected.items()}


@every_complete_stage
def test_repeated_headers_are_joined_in_their_order(stage, serve):
    """RFC 9110, 5.3: by a comma, and blanks after it if you like."""
    environ = environ_seen(serve(stage, DIRECTLY), b"X-A: b", b"X-C: d", b"x-a: e, f", b"X-A: g")
    assert environ["HTTP_X_A"].replace(" ", "") == "'b,e,f,g'"
    assert environ["HTTP_X_C"] == "'d'"


@every_complete_stage
def test_environ_tells_the_version_that_the_client_speaks(stage, serve):
    environ = environ_seen(serve(stage, DIRECTLY), start=b"GET / HTTP/1.0")
    assert environ["SERVER_PROTOCOL"] == "'HTTP/1.0'"


@every_complete_stage
def test_absolute_target_tells_the_host_whatever_Host_says(stage, serve):
    """RFC 9112, 3.2.2."""
    environ = environ_seen(serve(stage, DIRECTLY), start=b"GET http://a.example:81/ HTTP/1.1")
    assert environ["HTTP_HOST"] == "'a.example:81'"


@every_complete_stage
def test_application_can_tell_the_url_it_was_asked_for(stage, serve):
    assert fetch(serve(stage), "/says_url/a%20b?c=%20", headers={"Host": "example.com"}).body == (
        b"http://example.com/says_url/a%20b?c=%20")


@every_complete_stage
def test_each_request_has_an_environ_of_its_own(stage, serve):
    server = serve(stage)
    for _ in range(5):
        environ = environ_of(fetch(server, "/spoils_its_environ").body)
        assert "spoilt" not in environ
        assert environ["wsgi.url_scheme"] == "'http'"


@every_complete_stage
def test_application_is_called_with_a_dict_and_a_callable(stage, serve):
    assert fetch(serve(stage), "/says_arguments").body.startswith(b"['dict', ")
    assert fetch(serve(stage), "/says_arguments").body.endswith(b"] True")


# wsgi.input and wsgi.errors


@every_complete_stage
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("way", various.READS)
def test_input_reads_as_a_file_does(stage, way, chunked, serve):
    """It ends where the body does, though the connection is still open."""
    body = b"first line\r\n\nthird line, without an end"
    sent = iter([body[:1], body[1:12], body[12:]]) if chunked else body
    answer = fetch(serve(stage), "/reads/" + quote(way), "POST", sent, encode_chunked=chunked)
    assert answer.body.decode() == repr(various.READS[way](io.BytesIO(body)))


@every_complete_stage
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("way", ["read", "read(3)", "readline", "for line in"])
def test_input_without_a_body_is_at_its_end(stage, way, method, serve):
    answer = fetch(serve(stage), "/reads/" + quote(way), method)
    assert answer.body.decode() == repr(various.READS[way](io.BytesIO()))


@every_complete_stage
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [65536, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_input_of_any_size(stage, size, chunked, serve):
    """Up to 1 MiB it stays in memory, beyond that it goes to a file: nobody sees a difference."""
    body = iter([bytes(100_000)] * (size // 100_000) + [bytes(size % 100_000)]) if chunked \
        else bytes(size)
    answer = fetch(serve(stage), "/says_size", "POST", body, encode_chunked=chunked)
    assert answer.body == str(size).encode()


@every_complete_stage
def test_chunked_body_has_a_length_for_the_application(stage, serve):
    """Frameworks read CONTENT_LENGTH bytes, and no body where Transfer-Encoding is in environ."""
    answer = fetch(serve(stage, DIRECTLY), "/", "POST", iter([b"bo", b"dy"]), encode_chunked=True)
    environ = environ_of(answer.body)
    assert environ["CONTENT_LENGTH"] == "'4'"
    assert "HTTP_TRANSFER_ENCODING" not in environ or "wsgi.input_terminated" in environ


@every_complete_stage
@pytest.mark.parametrize("size", [4, 3_000_000])
def test_application_need_not_read_its_input(stage, size, serve):
    assert fetch(serve(stage), "/leaves_the_body", "POST", bytes(size)).body == b"not read"


@every_complete_stage
@pytest.mark.parametrize("expect", [b"Expect: 100-continue", b"expect: 100-Continue"])
@pytest.mark.parametrize("end", [b"Content-Length: 4", b"Transfer-Encoding: chunked"])
def test_client_that_expects_100_continue_gets_it_before_it_sends_the_body(
        stage, end, expect, serve):
    """RFC 9110, 10.1.1."""
    body = b"body" if b"4" in end else b"4\r\nbody\r\n0\r\n\r\n"
    request = head(end, expect, b"Connection: close", start=b"POST /echoes HTTP/1.1")
    with lab.connect(serve(stage).port, timeout=20) as client:
        client.sendall(request)
        assert lab.read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert lab.read_until(client, b"body").startswith(b"HTTP/1.1 200 OK\r\n")


@every_complete_stage
@pytest.mark.parametrize(("start", "lines"), [
    (b"POST /echoes HTTP/1.0", [b"Expect: 100-continue", b"Content-Length: 4"]),
    (b"POST /echoes HTTP/1.1", [b"Connection: close", b"Content-Length: 4"]),
], ids=["it speaks HTTP/1.0", "it does not expect it"])
def test_client_gets_no_100_continue_if(stage, start, lines, serve):
    with lab.connect(serve(stage).port, timeout=20) as client:
        client.sendall(head(*lines, start=start))
        client.sendall(b"body")
        answer = lab.read_until(client, b"body")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"100 Continue" not in answer


@every_complete_stage
@pytest.mark.parametrize(("line", "status"), [
    (b"Content-Length: 1073741825", 413), (b"Content-Length: x", 400)])
def test_refusal_comes_instead_of_100_continue(stage, line, status, serve):
    request = head(line, b"Expect: 100-continue", start=b"POST /echoes HTTP/1.1")
    assert lab.ask(serve(stage).port, request).status == status


@every_complete_stage
def test_body_of_1_GiB_is_asked_for_by_100_continue(stage, serve):
    """And one byte more is refused: see above."""
    request = head(b"Content-Length: 1073741824", b"Expect: 100-continue", start=b"POST / HTTP/1.1")
    with lab.connect(serve(stage).port, timeout=20) as client:
        client.sendall(request)
        assert lab.read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


@every_complete_stage
def test_errors_go_to_stderr(stage, serve):
    server = serve(stage)
    before = len(server.stderr)
    assert fetch(server, "/writes_errors").body == b"done"
    assert new_errors(server, before, "lines\n") == "written to wsgi.errors, and lines\n"


# start_response and write


@every_complete_stage
def test_status_and_headers_are_the_application_s_in_its_order(stage, serve):
    headers = [TEXT, ["Set-Cookie", "a=b"], ["X-Odd_Name!", "caf\xe9"], ["Set-Cookie", "c=d"]]
    answer = told(serve(stage), "299 Quite \xe9tonnant, is it not?", headers, "body")
    assert (answer.status, answer.reason) == (299, "Quite \xe9tonnant, is it not?")
    assert [list(header) for header in answer.getheaders()][:4] == headers
    assert answer.body == b"body"


@every_complete_stage
def test_server_adds_a_true_date_and_its_name(stage, serve):
    answer = told(serve(stage), "200 OK", [TEXT], "body")
    names = [name.lower() for name, _ in answer.getheaders()]
    assert (names.count("date"), names.count("server")) == (1, 1)
    date = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert abs(date - time.time()) < 5
    assert answer.headers["Date"].endswith(" GMT")


@every_complete_stage
def test_application_may_give_date_and_server_itself(stage, serve):
    mine = [["Date", "Thu, 01 Jan 1970 00:00:00 GMT"], ["server", "mine"]]
    headers = told(serve(stage), "200 OK", [TEXT, *mine], "body").headers
    assert headers.get_all("Date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]
    assert headers.get_all("Server") == ["mine"]


@every_complete_stage
@pytest.mark.parametrize("name", ["writes", "starts_when_asked_for_a_block", "returns_generator",
                                  "returns_tuple"])
def test_body_is_what_is_written_and_then_what_is_returned(stage, name, serve):
    body = b"one two three four" if name == "writes" else b"one two"
    answer = fetch(serve(stage), f"/{name}")
    assert (answer.status, answer.body) == (200, body)


@every_complete_stage
@pytest.mark.parametrize("name", ["waits_between_blocks", "waits_after_write"])
def test_block_is_sent_before_the_application_goes_on(stage, name, serve, folder):
    """It goes on when the client says, by a file, that the first block has come."""
    request = head(b"Connection: close", start=f"GET /{name}?{folder}/come HTTP/1.1".encode())
    with lab.connect(serve(stage).port, timeout=5) as client:
        client.sendall(request)
        assert b"one " in lab.read_until(client, b"one ")
        (folder / "come").touch()
        assert b"two" in lab.read_until(client, b"two")


@every_complete_stage
def test_headers_wait_for_the_first_block_that_is_not_empty(stage, serve):
    """Until then start_response with exc_info replaces all that was said before."""
    answer = fetch(serve(stage), "/replaces_its_headers")
    assert (answer.status, answer.reason, answer.body) == (203, "Replaced", b"replaced")
    assert "X-First" not in answer.headers


@every_complete_stage
def test_first_start_response_may_have_exc_info(stage, serve):
    answer = fetch(serve(stage), "/starts_with_exc_info")
    assert (answer.status, answer.body) == (503, b"busy")


@every_complete_stage
def test_headers_that_are_out_cannot_be_replaced(stage, serve):
    """start_response raises the error it is told of; the body stays short of its length."""
    server = serve(stage)
    before = len(server.stderr)
    with pytest.raises(IncompleteRead) as error:
        fetch(server, "/replaces_too_late")
    assert error.value.partial == b"one "
    assert "the same error: True" in new_errors(server, before, "in replaces_too_late")


@every_complete_stage
@pytest.mark.parametrize("name", [
    "starts_twice", "never_starts", "never_starts_and_has_no_body", "returns_nothing",
    "returns_text", "yields_text", "raises/now", "exits/now", "sends_no_latin1"])
def test_application_that_fails_before_its_headers_are_out_gets_500(stage, name, serve):
    server = serve(stage)
    before = len(server.stderr)
    assert_error(server, fetch(server, f"/{name}"), before)


@every_complete_stage
@pytest.mark.parametrize("name", [
    "raises_after_a_block?100", "exits_after_a_block", "yields_text_later"])
def test_application_that_fails_later_leaves_a_body_short_of_its_length(stage, name, serve):
    server = serve(stage)
    before = len(server.stderr)
    with pytest.raises(IncompleteRead) as error:
        fetch(server, f"/{name}")
    assert error.value.partial == b"one "
    assert "Traceback" in new_errors(server, before, "Traceback")
    assert fetch(server, "/says_pid").status == 200


@every_complete_stage
@pytest.mark.parametrize("status", [
    "200 OK\r\nX: split", "200 OK\nX: split", "200 OK\r", "200 OK\0", "200 \x1bOK", "200 \u2603",
    "200", "200OK", "20 OK", "2000 OK", "abc OK", "-20 OK", "2.0 OK", "\xb200 OK", " 200 OK", "",
    200, None], ids=repr)
def test_status_that_is_none_is_an_error(stage, status, serve):
    """It is raised while the application still runs."""
    server = serve(stage)
    before = len(server.stderr)
    assert_error(server, told(server, status, [TEXT], "body"), before)
    assert "start_response raised" in server.stderr[before:]


@every_complete_stage
@pytest.mark.parametrize("header", [
    ["X", "a\r\nY: split"], ["X", "a\nY: split"], ["X", "a\r"], ["X", "a\r\n b"], ["X", "a\0"],
    ["X", "a\x01"], ["X", "a\x7f"], ["X", "\u2603"], ["X", 5], ["X", None],
    ["X\r\nY", "a"], ["X\nY", "a"], ["X: a\r\nY", "a"], ["X:", "a"], ["X ", "a"], ["X Y", "a"],
    ["", "a"], ["X\0", "a"], ["X\xe9", "a"], [5, "a"],
], ids=repr)
def test_header_that_is_none_is_an_error(stage, header, serve):
    server = serve(stage)
    before = len(server.stderr)
    assert_error(server, told(server, "200 OK", [TEXT, header], "body"), before)
    assert "start_response raised" in server.stderr[before:]


@every_complete_stage
@pytest.mark.parametrize("name", [
    "Connection", "keep-alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailers",
    "TRANSFER-ENCODING", "Upgrade"])
def test_hop_by_hop_header_is_an_error(stage, name, serve):
    """They are the server's own business."""
    server = serve(stage)
    before = len(server.stderr)
    assert_error(server, told(server, "200 OK", [TEXT, [name, "close"]], "body"), before)


# The body and its end


@every_complete_stage
def test_length_is_told_where_there_is_one_block(stage, serve):
    answer = told(serve(stage), "200 OK", [TEXT], "a body")
    assert answer.headers.get_all("Content-Length") == ["6"]


@every_complete_stage
@pytest.mark.parametrize("blocks", [[], [""], ["", ""]], ids=str)
def test_response_without_a_body_is_sent_all_the_same(stage, blocks, serve):
    answer = told(serve(stage), "404 Not Found", [TEXT, ["X-A", "b"]], *blocks)
    assert (answer.status, answer.headers["X-A"], answer.body) == (404, "b", b"")


@every_complete_stage
def test_body_of_unknown_length_ends_with_the_connection_or_in_chunks(stage, serve):
    """RFC 9112, 6.3: who keeps connections tells an HTTP/1.1 client by chunks."""
    answer = fetch(serve(stage), "/returns_generator")
    assert "Content-Length" not in answer.headers
    assert answer.headers["Transfer-Encoding"] == ("chunked" if stage.keeps_alive else None)
    old = lab.ask(serve(stage).port, b"GET /returns_generator HTTP/1.0\r\n\r\n")
    assert "transfer-encoding" not in old.headers
    assert (old.body, old.end is not None) == (b"one two", True)


@every_complete_stage
@pytest.mark.parametrize("blocks", [["four", "more"], ["four more"], ["fo", "ur", "", "more"]],
                         ids=str)
def test_body_is_cut_at_its_length(stage, blocks, serve):
    asked = json.dumps(["200 OK", [TEXT, ["Content-Length", "4"]], *blocks]).encode()
    assert raw(serve(stage), "/starts_as_told", "POST", asked).body == b"four"


@every_complete_stage
@pytest.mark.parametrize("blocks", [[], ["thr"], ["t", "hr"]], ids=str)
def test_body_that_is_too_short_is_told_by_the_end_of_the_connection(stage, blocks, serve):
    with pytest.raises(IncompleteRead) as error:
        told(serve(stage), "200 OK", [TEXT, ["Content-Length", "4"]], *blocks)
    assert error.value.partial == "".join(blocks).encode()


@every_complete_stage
@pytest.mark.parametrize("length", ["five", "-5", "+5", "5, 5", "", "0x5"])
def test_content_length_that_is_none_gets_500(stage, length, serve):
    server = serve(stage)
    before = len(server.stderr)
    assert_error(server, told(server, "200 OK", [TEXT, ["Content-Length", length]], "body"), before)


@every_complete_stage
@pytest.mark.parametrize("name", ["says_pid", "returns_generator", "writes", "returns_tuple"])
def test_head_has_the_headers_of_get_and_no_body(stage, name, serve):
    """RFC 9110, 9.3.2; a length may be missing, but must not be another (8.6)."""
    server = serve(stage)
    got, answer = raw(server, f"/{name}"), raw(server, f"/{name}", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == got.headers["content-type"]
    assert answer.headers.get("content-length") in (None, got.headers.get("content-length"))
    if name == "says_pid":
        assert "content-length" in answer.headers


@every_complete_stage
def test_head_without_a_block_tells_no_length_of_zero(stage, serve):
    """A framework that leaves the body out does not say that GET has none."""
    asked = json.dumps(["200 OK", [TEXT]]).encode()
    assert "content-length" not in raw(serve(stage), "/starts_as_told", "HEAD", asked).headers


@every_complete_stage
@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("blocks", [[], ["body"], ["a ", "body"]], ids=str)
def test_status_that_has_no_body_has_none(stage, status, blocks, serve):
    """RFC 9110, 6.4.1, and 8.6: neither has it a length."""
    asked = json.dumps([status, [["X-A", "b"]], *blocks]).encode()
    answer = raw(serve(stage), "/starts_as_told", "POST", asked)
    assert answer.data.startswith(f"HTTP/1.1 {status}\r\n".encode())
    assert answer.data.endswith(b"\r\n\r\n")
    assert answer.data.count(b"\r\n\r\n") == 1
    assert not {"content-length", "transfer-encoding"} & set(answer.headers)


@every_complete_stage
@pytest.mark.parametrize("length", ["0", "4"])
def test_length_with_204_is_left_out(stage, length, serve):
    """RFC 9110, 8.6: a server must not send it, whatever the application says."""
    asked = json.dumps(["204 No Content", [["content-length", length], ["X-A", "b"]]]).encode()
    answer = raw(serve(stage), "/starts_as_told", "POST", asked)
    assert (answer.status, answer.headers["x-a"], answer.body) == (204, "b", b"")
    assert "content-length" not in answer.headers


@every_complete_stage
@pytest.mark.parametrize(("fails", "method"), [
    ("", "GET"), ("", "HEAD"), ("iter", "GET"), ("next", "GET"), ("close", "GET"),
    ("exit", "GET"), ("start", "GET")])
def test_iterable_is_closed_once(stage, fails, method, serve):
    server = serve(stage)
    processes, before = server.members(), len(server.stderr)
    raw(server, f"/returns_closable?{fails}", method)
    new_errors(server, before, "closed\n")
    assert fetch(server, "/says_pid").status == 200
    assert server.stderr[before:].count("closed\n") == 1
    assert ("Traceback" in server.stderr[before:]) == bool(fails)
    assert server.members() == processes, "no process died of it"


@every_complete_stage
def test_iterable_is_closed_when_the_client_leaves(stage, serve):
    server = serve(stage)
    before = len(server.stderr)
    with lab.connect(server.port) as client:
        client.sendall(head(start=b"GET /streams HTTP/1.1"))
        assert client.recv(1000)
    assert new_errors(server, before, "closed\n").endswith("closed\n")
    assert fetch(server, "/says_pid").status == 200
    assert "Traceback" not in server.stderr[before:], "a client may leave: that is no error"


@every_complete_stage
def test_file_wrapper_sends_a_file(stage, serve):
    answer = fetch(serve(stage), "/wraps_a_file")
    assert answer.body == (lab.PROJECT / "tests/apps/various.py").read_bytes()


# wsgiref.validate between the server and the application


@every_complete_stage
@pytest.mark.parametrize("path", [
    "/", "/a%20b?c", "/echoes", "/returns_generator", "/writes", "/returns_closable",
    "/replaces_its_headers", "/starts_with_exc_info", "/waits?.", "/wraps_a_file", "/writes_errors",
    "/leaves_the_body", "/streams?3"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "chunked"])
def test_validator_finds_nothing_to_say(stage, path, method, serve):
    server = serve(stage, VALIDATED)
    before = len(server.stderr)
    body = {"POST": b"body", "chunked": iter([b"bo", b"dy"])}.get(method)
    answer = fetch(server, path, {"chunked": "PUT"}.get(method, method), body,
                   encode_chunked=method == "chunked")
    assert answer.status in (200, 203, 503)
    assert fetch(server, "/says_pid").status == 200
    for word in ("Traceback", "Assert", "Warning", "collected"):
        assert word not in server.stderr[before:]


@every_complete_stage
def test_validator_finds_nothing_to_say_to_options_of_the_whole_server(stage, serve):
    server = serve(stage, VALIDATED)
    answer = lab.ask(server.port, head(b"Connection: close", start=b"OPTIONS * HTTP/1.1"))
    assert answer.status == 200, server.stderr
