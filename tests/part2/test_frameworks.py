"""Claims 2.9 and 3.29: what Flask, Django and Pyramid do works on 2j and 3z.

The client is the standard library's. On one connection it asks again as long as the server keeps
that open, and connects anew when it was closed.
"""

import hashlib
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote, urlsplit

import pytest

import lab
from tests.apps.pages import LINES, PAGE
from tests.helpers.complete import arguments, every_complete_stage, fetch, head

every_framework = pytest.mark.parametrize("framework", ["flask", "django", "pyramid"])
every_upload = pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
FILE = bytes(range(256)) * 4 * 1024 * 5 + b"\r\n--bound"  # 5 MiB, and what begins like an end
SUMMARY = f"{len(FILE)} {hashlib.sha256(FILE).hexdigest()}"


@pytest.fixture
def ask(serve, stage, framework):
    """ask(method, path, body, headers) asks on one connection; the HTTPResponse with its `text`."""
    server = serve(stage, f"tests.apps.in_{framework}:app")
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as client:
        def ask(method, path, body=None, headers=(), **options):
            client.request(method, path, body, dict(headers), **options)
            answer = client.getresponse()
            answer.text = answer.read().decode()
            return answer
        ask.server = server
        yield ask


def blocks(data, chunked, size=100_000):
    """The data as it is, or as an iterator, which http.client sends in chunks."""
    return (data[start:start + size] for start in range(0, len(data), size)) if chunked else data


@pytest.mark.claim("2.9")
@every_framework
@every_complete_stage
def test_page(ask):
    for _ in range(3):
        answer = ask("GET", "/page")
        assert (answer.status, answer.text) == (200, PAGE)
        assert answer.headers.get_all("Content-Length") == [str(len(PAGE.encode()))]
        assert answer.headers["ETag"] == '"one"'
        assert len(answer.headers.get_all("Date")) == 1


@every_framework
@every_complete_stage
def test_connection_is_kept_open_by_the_server_to_use(ask, stage):
    assert ask("GET", "/page").will_close == (not stage.keeps_alive)


@pytest.mark.claim("2.9")
@every_upload
@every_framework
@every_complete_stage
def test_form_is_posted(ask, chunked):
    body = b"name=Ann&text=caf%C3%A9+%26+%E2%98%83"
    for _ in range(2):
        answer = ask("POST", "/form", blocks(body, chunked, 7), encode_chunked=chunked,
                     headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert (answer.status, answer.text) == (200, "Ann says caf\xe9 & \N{SNOWMAN}")


@pytest.mark.claim("2.9")
@every_upload
@every_framework
@every_complete_stage
def test_file_of_5_megabytes_is_uploaded(ask, chunked):
    body = (b'--boundary\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n" + FILE
            + b"\r\n--boundary--\r\n")
    answer = ask("POST", "/upload", blocks(body, chunked), encode_chunked=chunked,
                 headers={"Content-Type": "multipart/form-data; boundary=boundary"})
    assert answer.text == f"a.bin {SUMMARY}"


@pytest.mark.claim("2.9")
@every_upload
@every_framework
@every_complete_stage
def test_body_that_is_no_form_is_put(ask, chunked):
    answer = ask("PUT", "/raw", blocks(FILE, chunked), encode_chunked=chunked,
                 headers={"Content-Type": "application/octet-stream"})
    assert answer.text == SUMMARY


@pytest.mark.claim("2.9")
@every_framework
@every_complete_stage
def test_stream_of_many_blocks_comes_whole_and_in_order(ask):
    for _ in range(2):
        answer = ask("GET", "/lines")
        assert "Content-Length" not in answer.headers
        assert answer.text == "".join(LINES)


@every_framework
@every_complete_stage
def test_redirect_leads_to_the_page(ask):
    answer = ask("GET", "/moved")
    assert answer.status == 302
    target = urlsplit(answer.headers["Location"])  # Pyramid makes it a whole URL
    assert (target.path, target.query) == ("/page", "moved")
    assert ask("GET", f"{target.path}?{target.query}").text == PAGE


@every_framework
@every_complete_stage
def test_cookies_are_set_and_come_back(ask):
    cookies = {}
    for visit in ("None None", "Ann 1", "Ann 2"):
        answer = ask("GET", "/visit", headers={"Cookie": "; ".join(
            f"{name}={value}" for name, value in cookies.items())} if cookies else {})
        assert answer.text == visit
        given = answer.headers.get_all("Set-Cookie")
        assert len(given) == 2, "two cookies are two headers"
        cookies = dict(cookie.partition(";")[0].split("=") for cookie in given)


@every_framework
@every_complete_stage
def test_page_that_is_not_there_gets_the_framework_s_404(ask):
    answer = ask("GET", "/nowhere")
    assert answer.status == 404
    assert "Not Found" in answer.text
    assert ask("GET", "/page").status == 200


@every_framework
@every_complete_stage
def test_view_that_raises_gets_500_and_the_next_page_comes(ask, framework):
    """Flask and Django answer themselves; Pyramid leaves it to the server."""
    answer = ask("GET", "/fails")
    assert answer.status == 500
    assert {"flask": "Internal Server Error", "django": "Server Error (500)",
            "pyramid": "nternal"}[framework] in answer.text
    assert "Traceback" not in answer.text
    assert ask("GET", "/page").status == 200


@every_framework
@every_complete_stage
def test_path_and_query_that_are_not_ascii(ask):
    answer = ask("GET", "/word/" + quote("caf\xe9 \N{SNOWMAN}") + "?q=" + quote("\xfc&="),
                 headers={"Host": "example.com"})
    words, _, url = answer.text.rpartition(" ")
    assert words == "caf\xe9 \N{SNOWMAN} \xfc&="
    assert url.startswith("http://example.com/word/")


@every_framework
@every_complete_stage
def test_head_of_a_page_is_that_of_get_without_a_body(ask):
    answer = ask("HEAD", "/page")
    assert answer.status == 200
    assert answer.headers["Content-Length"] == str(len(PAGE.encode()))
    raw = lab.ask(ask.server.port, head(b"Connection: close", start=b"HEAD /page HTTP/1.1"))
    assert raw.body == b""


@every_framework
@every_complete_stage
def test_page_that_has_not_changed_is_not_sent_again(ask):
    answer = ask("GET", "/page", headers={"If-None-Match": '"one"'})
    assert (answer.status, answer.text) == (304, "")
    request = head(b"Connection: close", b'If-None-Match: "one"', start=b"GET /page HTTP/1.1")
    assert lab.ask(ask.server.port, request).body == b""
    assert ask("GET", "/page", headers={"If-None-Match": '"two"'}).text == PAGE


@every_complete_stage
def test_streams_with_a_context_that_are_sent_at_once_come_whole(stage, start_stage):
    """Each has the request that it belongs to, though one worker draws them in turn."""
    server = start_stage(stage.stage, *arguments(stage, "tests.apps.in_flask:app", workers=1))
    words = [f"word{number}" for number in range(4)]
    bodies = {}

    def read(word):
        with suppress(HTTPException):  # cut off: the word has no body then
            bodies[word] = fetch(server, f"/context?word={word}").body.decode()

    readers = [threading.Thread(target=read, args=(word,)) for word in words]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    wrong = [word for word in words if bodies.get(word) != word * 50_000 * 20]
    assert not wrong, f"{wrong} did not come whole. {server.stderr[-2000:]}"
    assert "Traceback" not in server.stderr
