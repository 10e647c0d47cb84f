"""What 2j and 3z refuse, and what they do not: each request is a line of a table.

The numbers are sections of RFC 9112 unless they say otherwise.
"""

import time

import pytest

import lab
from tests.helpers.complete import chunks, drip, every_complete_stage, head, line, post
from tests.spec.clients import RANDOM_BYTES

ECHOES = "tests.apps.various:echoes"
LONG = b"a" * 70_000
NO_HOST = b"X-No: host"
ONE_ONE = b" HTTP/1.1"
CLOSE = b"Connection: close"

GIB = 1 << 30  # MAX_BODY


def head_of(size):
    """The head of a request, of so many bytes, the empty line included."""
    short = head(b"X: ")
    return head(b"X: " + b"a" * (size - len(short)))


REFUSED = [  # name, request, status
    # 2.2, RFC 9110 5.5: what may not stand in a head
    ("CR in a value", head(b"X: a\rb"), 400),
    ("CR at the end of a value", head(b"X: a\r"), 400),
    ("CR in a name", head(b"X\rY: a"), 400),
    ("CR in the path", line(b"GET /a\rb HTTP/1.1"), 400),
    ("LF in a value", head(b"X: a\nY: b"), 400),
    ("LF after the request line", line(b"GET / HTTP/1.1\nX: a"), 400),
    ("NUL in a value", head(b"X: a\0b"), 400),
    ("NUL in a name", head(b"X\0: a"), 400),
    ("NUL in the path", line(b"GET /a\0b HTTP/1.1"), 400),
    ("NUL before the method", line(b"\0GET / HTTP/1.1"), 400),
    ("random bytes", RANDOM_BYTES[:1000] + b"\r\n\r\n", 400),
    # 3: the request line
    ("one word", line(b"GET"), 400),
    ("two words, as in HTTP/0.9", line(b"GET /"), 400),
    ("four words", line(b"GET / a HTTP/1.1"), 400),
    ("two spaces after the method", line(b"GET  / HTTP/1.1"), 400),
    ("two spaces after the path", line(b"GET /  HTTP/1.1"), 400),
    ("a tab for a space", line(b"GET\t/ HTTP/1.1"), 400),
    ("space before the method", line(b" GET / HTTP/1.1"), 400),
    ("space after the version", line(b"GET / HTTP/1.1 "), 400),
    ("no method", line(b" / HTTP/1.1"), 400),
    ("no target", line(b"GET HTTP/1.1"), 400),
    ("method that is no token", line(b"G@T / HTTP/1.1"), 400),
    ("method with a colon", line(b"GET: / HTTP/1.1"), 400),
    ("method that is not ASCII", line(b"G\xcbT / HTTP/1.1"), 400),
    ("request line of 70 KB", line(b"GET /" + LONG + ONE_ONE), 414),
    ("request line of 70 KB without an end", b"GET /" + LONG, 414),
    # 2.3, RFC 9110 15.6.6: the version
    ("HTTP/2.0", line(b"GET / HTTP/2.0"), 505),
    ("HTTP/3.0", line(b"GET / HTTP/3.0"), 505),
    ("HTTP/0.9", line(b"GET / HTTP/0.9"), 505),
    ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ("HTTP/1", line(b"GET / HTTP/1"), 400),
    ("HTTP/11", line(b"GET / HTTP/11"), 400),
    ("HTTP/1.", line(b"GET / HTTP/1."), 400),
    ("HTTP/1.10", line(b"GET / HTTP/1.10"), 400),
    ("HTTP/01.1", line(b"GET / HTTP/01.1"), 400),
    ("HTTP/1.x", line(b"GET / HTTP/1.x"), 400),
    ("HTTP/1,1", line(b"GET / HTTP/1,1"), 400),
    ("HTTP/1.1 with a superscript digit", line(b"GET / HTTP/1.\xb9"), 400),
    ("http/1.1 in small letters", line(b"GET / http/1.1"), 400),
    ("another protocol", line(b"GET / ICY/1.1"), 400),
    # 3.2: the target
    ("path without a slash", line(b"GET hello HTTP/1.1"), 400),
    ("a query alone", line(b"GET ?a HTTP/1.1"), 400),
    ("asterisk to GET", line(b"GET * HTTP/1.1"), 400),
    ("asterisk to a method that ends like OPTIONS", line(b"XOPTIONS * HTTP/1.1"), 400),
    ("asterisk with a query", line(b"OPTIONS *?a HTTP/1.1"), 400),
    ("asterisk with a path", line(b"OPTIONS */a HTTP/1.1"), 400),
    ("authority to GET", line(b"GET localhost:80 HTTP/1.1"), 400),
    ("tab in the path", line(b"GET /a\tb HTTP/1.1"), 400),
    ("control character in the path", line(b"GET /a\x01b HTTP/1.1"), 400),
    ("DEL in the path", line(b"GET /a\x7fb HTTP/1.1"), 400),
    ("absolute target without a host", line(b"GET http:/// HTTP/1.1"), 400),
    ("absolute target with a port alone", line(b"GET http://:80/ HTTP/1.1"), 400),
    ("absolute target, one slash", line(b"GET http:/localhost/ HTTP/1.1"), 400),
    ("absolute target, port no number", line(b"GET http://localhost:x/ HTTP/1.1"), 400),
    ("absolute target, open bracket", line(b"GET http://[::1/ HTTP/1.1"), 400),
    ("absolute target, closed bracket", line(b"GET http://::1]/ HTTP/1.1"), 400),
    ("absolute target, no address in brackets", line(b"GET http://[x]/ HTTP/1.1"), 400),
    ("absolute target without a scheme", line(b"GET ://localhost/ HTTP/1.1"), 400),
    ("CONNECT without a port", line(b"CONNECT localhost HTTP/1.1"), 400),
    ("CONNECT, port no number", line(b"CONNECT localhost:x HTTP/1.1"), 400),
    ("CONNECT with a path", line(b"CONNECT /hello HTTP/1.1"), 400),
    # 3.2: Host
    ("no Host", head(host=NO_HOST), 400),
    ("no header at all", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", head(b"Host: localhost"), 400),
    ("two Hosts that differ", head(b"Host: example.com"), 400),
    ("two Hosts in HTTP/1.0", head(b"Host: a", start=b"GET / HTTP/1.0"), 400),
    ("no Host, absolute target", head(start=b"GET http://a/ HTTP/1.1", host=NO_HOST), 400),
    ("Host with a space", head(host=b"Host: local host"), 400),
    ("Host with a path", head(host=b"Host: localhost/a"), 400),
    ("Host with a user", head(host=b"Host: a@localhost"), 400),
    ("Host, port no number", head(host=b"Host: localhost:x"), 400),
    ("two hosts in one Host", head(host=b"Host: a, b"), 400),
    # 5: header lines
    ("no colon", head(b"X"), 400),
    ("no colon, in the first header", head(host=b"Host localhost"), 400),
    ("no name", head(b": a"), 400),
    ("space before a colon", head(b"X : a"), 400),
    ("tab before a colon", head(b"X\t: a"), 400),
    ("space before the colon of Content-Length", post(b"Content-Length : 4"), 400),
    ("space in a name", head(b"X Y: a"), 400),
    ("vertical tab before a name", post(b"\x0bContent-Length: 4"), 400),
    ("name that is no token", head(b"X(Y): a"), 400),
    ("name that is not ASCII", head(b"X\xe9: a"), 400),
    ("line fold", head(b"X: a", b" b"), 400),
    ("line fold by a tab", head(b"X: a", b"\tb"), 400),
    ("line fold with a colon", head(b"X: a", b" Y: b"), 400),
    ("line fold in the first header", head(host=b" Host: localhost"), 400),
    ("line fold of blanks alone", head(b"X: a", b"  "), 400),
    ("101 headers", head(*[b"X: a"] * 100), 431),
    ("10,000 headers", head(*[b"X: a"] * 10_000), 431),
    ("head of 70 KB", head(b"X: " + LONG), 431),
    ("head of 70 KB without an end", head(b"X: " + LONG)[:-4], 431),
    ("head of 64 KiB and a byte", head_of(65537), 431),
    ("name of 70 KB", head(LONG + b": a"), 431),
    # RFC 9110 8.3: Content-Type is one
    ("two Content-Types", post(b"Content-Type: text/plain", b"Content-Type: text/html",
                               b"Content-Length: 4"), 400),
    # RFC 9110 10.1.1: Expect
    ("unknown expectation", post(b"Expect: a miracle", b"Content-Length: 4"), 417),
    ("unknown expectation to GET", head(b"Expect: a"), 417),
    ("unknown expectation beside the known", post(
        b"Expect: 100-continue, a", b"Content-Length: 4"), 417),
    # 6.2, 6.3: Content-Length
    ("two lengths", post(b"Content-Length: 4", b"Content-Length: 3"), 400),
    ("two lengths, the last is right", post(b"Content-Length: 0", b"Content-Length: 4"), 400),
    ("two lengths in a line", post(b"Content-Length: 4, 3"), 400),
    ("length with a plus", post(b"Content-Length: +4"), 400),
    ("length with a minus", post(b"Content-Length: -4"), 400),
    ("length below zero by a hair", post(b"Content-Length: -0"), 400),
    ("length in hexadecimal", post(b"Content-Length: 0x4"), 400),
    ("length with an underscore", post(b"Content-Length: 0_4"), 400),
    ("length with a point", post(b"Content-Length: 4.0"), 400),
    ("length with an exponent", post(b"Content-Length: 4e0"), 400),
    ("length with a space", post(b"Content-Length: 4 4"), 400),
    ("length after a vertical tab", post(b"Content-Length: \x0b4"), 400),
    ("length before a form feed", post(b"Content-Length: 4\x0c"), 400),
    ("length after a no-break space", post(b"Content-Length: \xa04"), 400),
    ("length before a unit separator", post(b"Content-Length: 4\x1f"), 400),
    ("length in superscript", post(b"Content-Length: \xb2"), 400),
    ("length in quotes", post(b'Content-Length: "4"'), 400),
    ("length that is a word", post(b"Content-Length: four"), 400),
    ("length that is empty", post(b"Content-Length:"), 400),
    ("length of a comma", post(b"Content-Length: ,4"), 400),
    ("length of 2 GiB", post(b"Content-Length: 2147483648"), 413),
    ("length of 2 GiB, and 3 MB of it", post(b"Content-Length: 2147483648", body=bytes(3_000_000)),
     413),
    ("length of 1 GiB and a byte", post(b"Content-Length: %d" % (GIB + 1)), 413),
    ("length beyond 64 bits", post(b"Content-Length: 18446744073709551620"), 400),
    ("length of 5,000 digits", post(b"Content-Length: " + b"9" * 5000), 400),
    # 6.1, 6.3: Transfer-Encoding
    ("a length and chunks", chunks(b"0\r\n\r\n", b"Content-Length: 5"), 400),
    ("chunks and a length", post(b"Content-Length: 5", b"Transfer-Encoding: chunked",
                                 body=b"0\r\n\r\n"), 400),
    ("a length and another coding", post(b"Content-Length: 4", b"Transfer-Encoding: gzip"), 400),
    ("a length and an empty coding", post(b"Content-Length: 4", b"Transfer-Encoding:"), 400),
    ("chunks in HTTP/1.0", chunks(b"0\r\n\r\n").replace(b"/1.1", b"/1.0"), 400),
    ("space before the colon of chunked", post(b"Transfer-Encoding : chunked"), 400),
    ("coding gzip", post(b"Transfer-Encoding: gzip"), 501),
    ("coding identity", post(b"Transfer-Encoding: identity"), 501),
    ("coding gzip, then chunked", post(b"Transfer-Encoding: gzip, chunked"), 501),
    ("coding xchunked", post(b"Transfer-Encoding: xchunked"), 501),
    # 7.1: chunks
    ("chunk size is no number", chunks(b"x\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size is empty", chunks(b"\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size with a plus", chunks(b"+4\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size with a minus", chunks(b"-4\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size with 0x", chunks(b"0x4\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size with an underscore", chunks(b"0_4\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size after a space", chunks(b" 4\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size before a space", chunks(b"4 \r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size before a tab", chunks(b"4\t\r\nbody\r\n0\r\n\r\n"), 400),
    ("last chunk size before a space", chunks(b"4\r\nbody\r\n0 \r\n\r\n"), 400),
    ("chunk size before a vertical tab", chunks(b"4\x0b\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size not ASCII", chunks(b"\xb2\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size of 17 digits", chunks(b"f" * 17 + b"\r\nbody\r\n0\r\n\r\n"), 413),
    ("chunk size of 2 GiB", chunks(b"80000000\r\nbody\r\n0\r\n\r\n"), 413),
    ("chunk size of 1 GiB and a byte", chunks(b"%x\r\nbody" % (GIB + 1)), 413),
    ("chunks of 1 GiB and a byte", chunks(b"4\r\nbody\r\n%x\r\n" % (GIB - 3)), 413),
    ("chunk size of 100,000 digits", chunks(b"0" * 100_000), 400),
    ("chunk size ended by LF", chunks(b"4\nbody\r\n0\r\n\r\n"), 400),
    ("chunk size ended by CR", chunks(b"4\rbody\r\n0\r\n\r\n"), 400),
    ("chunk without its line end", chunks(b"4\r\nbody0\r\n\r\n"), 400),
    ("chunk ended by LF", chunks(b"4\r\nbody\n0\r\n\r\n"), 400),
    ("chunk ended by two letters", chunks(b"4\r\nbodyXY0\r\n\r\n"), 400),
    ("chunk ended by LF CR", chunks(b"4\r\nbody\n\r0\r\n\r\n"), 400),
    ("chunk longer than its size", chunks(b"3\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk shorter than its size", chunks(b"5\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk extension with a CR", chunks(b"4;a\rb\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk extension with an LF", chunks(b"4;a\nb\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk extension with a NUL", chunks(b"4;a\0b\r\nbody\r\n0\r\n\r\n"), 400),
    ("chunk extension of 70 KB", chunks(b"4;" + LONG + b"\r\nbody\r\n0\r\n\r\n"), 400),
    ("trailer without a colon", chunks(b"0\r\nX\r\n\r\n"), 400),
    ("trailer with a space before its colon", chunks(b"0\r\nX : a\r\n\r\n"), 400),
    ("trailer with a line fold", chunks(b"0\r\nX: a\r\n b\r\n\r\n"), 400),
    ("trailer with a CR", chunks(b"0\r\nX: a\rb\r\n\r\n"), 400),
    # RFC 9110 6.5.1: what a trailer may not say
    ("trailer Content-Length", chunks(b"0\r\nContent-Length: 9\r\n\r\n"), 400),
    ("trailer content-length after a harmless one", chunks(
        b"4\r\nbody\r\n0\r\nX: a\r\ncontent-length: 4\r\n\r\n"), 400),
    ("trailer Transfer-Encoding", chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400),
    ("trailer TRANSFER-ENCODING", chunks(b"0\r\nTRANSFER-ENCODING: gzip\r\n\r\n"), 400),
    ("trailer Host", chunks(b"0\r\nHost: localhost\r\n\r\n"), 400),
    ("trailer Connection", chunks(b"0\r\nConnection: close\r\n\r\n"), 400),
    ("trailer Trailer", chunks(b"0\r\nTrailer: X\r\n\r\n"), 400),
    ("80 trailers of 1 KB", chunks(b"0\r\n" + (b"X: " + LONG[:1000] + b"\r\n") * 80 + b"\r\n"),
     431),
    ("trailers of 70 KB", chunks(b"0\r\nX: " + LONG + b"\r\n\r\n"), 431),
    ("101 trailers", chunks(b"0\r\n" + b"X: a\r\n" * 101 + b"\r\n"), 431),
]

CUT_OFF = [  # the client says no more, and shows it by a FIN: 8
    ("a request line without an end", b"GET / HT"),
    ("a head without an end", b"GET / HTTP/1.1\r\nHost: loc"),
    ("a head without its last line end", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r"),
    ("a TLS handshake", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"),
    ("a body shorter than its length", post(b"Content-Length: 5")),
    ("no body", post(b"Content-Length: 5", body=b"")),
    ("no chunk", chunks(b"")),
    ("a chunk shorter than its size", chunks(b"5\r\nbody")),
    ("no last chunk", chunks(b"4\r\nbody\r\n")),
    ("no end of the trailers", chunks(b"4\r\nbody\r\n0\r\nX: a\r\n")),
]

SERVED = [  # name, request, body: what the application read
    ("no Host in HTTP/1.0", b"GET /hello HTTP/1.0\r\n\r\n", b""),
    ("empty Host", head(host=b"Host:"), b""),
    ("Host with a port", head(host=b"Host: localhost:80"), b""),
    ("Host in brackets", head(host=b"Host: [::1]:80"), b""),
    ("absolute target", line(b"GET http://localhost/hello HTTP/1.1"), b""),
    ("absolute target with a port", line(b"GET http://localhost:80/hello HTTP/1.1"), b""),
    ("absolute target in brackets", line(b"GET http://[::1]:80/hello HTTP/1.1"), b""),
    ("absolute target without a path", line(b"GET http://localhost HTTP/1.1"), b""),
    ("absolute target, scheme in capitals", line(b"GET HTTP://localhost/ HTTP/1.1"), b""),
    ("asterisk to OPTIONS", line(b"OPTIONS * HTTP/1.1"), b""),
    ("a path of slashes", line(b"GET //// HTTP/1.1"), b""),
    ("a path with a colon", line(b"GET /a:b@c HTTP/1.1"), b""),
    ("a percent sign alone", line(b"GET /100% HTTP/1.1"), b""),
    ("method of one's own", line(b"M-SEARCH!~ / HTTP/1.1"), b""),
    ("method that ends like CONNECT", line(b"XCONNECT / HTTP/1.1"), b""),
    ("HTTP/1.2", line(b"GET / HTTP/1.2"), b""),
    ("HTTP/1.9", line(b"GET / HTTP/1.9"), b""),
    ("one Content-Type", post(b"Content-Type: a/b", b"Content-Length: 4"), b"body"),
    ("method in small letters", line(b"get / HTTP/1.1"), b""),
    ("an empty line before the request", b"\r\n" + head(), b""),
    ("a request line of 60,000 bytes", line(b"GET /" + LONG[:60_000] + ONE_ONE), b""),
    ("100 headers", head(*[b"X: a"] * 99), b""),
    ("a head of 64 KiB", head_of(65536), b""),
    ("a header of 60,000 bytes", head(b"X: " + LONG[:60_000]), b""),
    ("empty value", head(b"X:"), b""),
    ("no space after a colon", head(b"X:a"), b""),
    ("blanks around a value", head(b"X: \t a \t "), b""),
    ("value that is not ASCII", head(b"X: \xe9\xff"), b""),
    ("name of odd tokens", head(b"!#$%&'*+-.^_`|~09: a"), b""),
    ("a body to GET", head(b"Content-Length: 4") + b"body", b"body"),
    ("length of zero", post(b"Content-Length: 0", body=b""), b""),
    ("length in blanks", post(b"Content-Length: \t4 "), b"body"),
    ("length with zeros", post(b"Content-Length: 0004"), b"body"),
    ("length in small letters", post(b"content-length: 4"), b"body"),
    ("more bytes than the length", post(b"Content-Length: 3"), b"bod"),
    ("chunks", chunks(b"1\r\nb\r\n3\r\nody\r\n0\r\n\r\n"), b"body"),
    ("no chunk but the last", chunks(b"0\r\n\r\n"), b""),
    ("coding CHUNKED", post(b"TRANSFER-ENCODING: CHUNKED", body=b"0\r\n\r\n"), b""),
    ("coding in blanks", post(b"Transfer-Encoding: \tchunked ", body=b"0\r\n\r\n"), b""),
    ("chunk sizes with letters", chunks(b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
     b"01234567890123456789"),
    ("chunk size with zeros", chunks(b"0004\r\nbody\r\n000\r\n\r\n"), b"body"),
    ("chunk that looks like the last", chunks(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), b"0\r\n\r\n"),
    ("chunk extension after a blank", chunks(b"4 ;a=b\r\nbody\r\n0\t;c\r\n\r\n"), b"body"),
    ("chunk extensions", chunks(b'4;a=b;c="d"\r\nbody\r\n0;e\r\n\r\n'), b"body"),
    ("trailers", chunks(b"4\r\nbody\r\n0\r\nX: a\r\nY: b\r\n\r\n"), b"body"),
    ("100 trailers", chunks(b"4\r\nbody\r\n0\r\n" + b"X: a\r\n" * 100 + b"\r\n"), b"body"),
    ("60 trailers of 1 KB", chunks(
        b"4\r\nbody\r\n0\r\n" + (b"X: " + LONG[:1000] + b"\r\n") * 60 + b"\r\n"), b"body"),
]


LATE = [  # the client falls silent, and stays
    ("after half a request line", b"GET / HT"),
    ("in the middle of the head", b"GET / HTTP/1.1\r\nHost: loc"),
    ("before the body", post(b"Content-Length: 5", body=b"")),
    ("in the middle of the body", post(b"Content-Length: 5")),
    ("before the first chunk", chunks(b"")),
    ("in the middle of a chunk", chunks(b"5\r\nbody")),
    ("in the middle of the trailers", chunks(b"0\r\nX: a")),
    ("in a body of 1 GiB", post(b"Content-Length: %d" % GIB)),
    ("in a chunk of 1 GiB", chunks(b"%x\r\nbody" % GIB)),
    ("in the second of two chunks that make 1 GiB", chunks(b"4\r\nbody\r\n%x\r\n" % (GIB - 4))),
]


def rows(table):
    return [pytest.param(*values, id=name) for name, *values in table]


def assert_refused(answer, status, request):
    what = f"Sent {request[:200]!r}; expected {status}"
    assert answer.status == status, f"{what}, saw {answer.data[:200]!r} ({answer.error})."
    assert answer.end, f"{what} and the end of the connection, saw {answer!r}."
    assert answer.data.startswith(b"HTTP/1.1 ")
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.body
    assert answer.headers.get("content-length") in (None, str(len(answer.body)))


def assert_serves_the_next(server, calls):
    """The next request is answered, and the application was called by no other since."""
    assert lab.ask(server.port).status == 200, server.stderr
    lab.eventually(lambda: server.stderr.count("called\n") > calls)
    assert server.stderr == "called\n" * (calls + 1)


@every_complete_stage
@pytest.mark.parametrize(("request_", "status"), rows(REFUSED))
def test_refused_without_a_call_of_the_application(stage, request_, status, serve):
    server = serve(stage, ECHOES)
    calls = server.stderr.count("called\n")
    assert_refused(lab.ask(server.port, request_), status, request_)
    assert_serves_the_next(server, calls)


@every_complete_stage
@pytest.mark.parametrize("request_", rows(CUT_OFF))
def test_refused_as_it_is_cut_off(stage, request_, serve):
    server = serve(stage, ECHOES)
    calls = server.stderr.count("called\n")
    assert_refused(lab.ask(server.port, request_, hang_up=True), 400, request_)
    assert_serves_the_next(server, calls)


@every_complete_stage
@pytest.mark.parametrize(("request_", "body"), rows(SERVED))
def test_served_as_it_is_only_odd(stage, request_, body, serve):
    server = serve(stage, ECHOES)
    answer = lab.ask(server.port, request_, hang_up=True)
    assert answer.status == 200, f"Sent {request_[:200]!r}, saw {answer!r} {answer.data[:200]!r}."
    assert answer.data.partition(b"\r\n\r\n")[2].startswith(body)
    assert int(answer.headers["content-length"]) == len(body)


@every_complete_stage
@pytest.mark.parametrize("request_", rows(LATE))
def test_refused_as_it_does_not_come_in_time(stage, request_, serve):
    server = serve(stage, ECHOES, TIMEOUT=0.5)
    calls = server.stderr.count("called\n")
    answer = lab.ask(server.port, request_)
    assert_refused(answer, 408, request_)
    assert answer.first_byte >= 0.4, f"It had half a second; refused after {answer.first_byte} s."
    assert_serves_the_next(server, calls)


@every_complete_stage
def test_head_has_to_come_in_time_in_all(stage, serve):
    """A byte now and then does not help: TIMEOUT is for all of it, not for each block."""
    with lab.connect(serve(stage, ECHOES, TIMEOUT=0.5).port) as client:
        start = time.monotonic()
        answer = drip(client, head(b"X: " + b"a" * 100), pause=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - start < 5


@every_complete_stage
@pytest.mark.parametrize("request_", [
    post(b"Content-Length: 12", b"Connection: close", body=b"it is slowly"),
    chunks(b"6\r\nslowly\r\n0\r\n\r\n", b"Connection: close")], ids=["length", "chunks"])
def test_body_has_time_for_each_block(stage, request_, serve):
    before, empty_line, body = request_.partition(b"\r\n\r\n")
    with lab.connect(serve(stage, ECHOES, TIMEOUT=1).port) as client:
        client.sendall(before + empty_line)
        start = time.monotonic()
        answer = drip(client, body, pause=0.1)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"slowly")
    assert time.monotonic() - start > 1, "it took longer than TIMEOUT in all"


@every_complete_stage
@pytest.mark.parametrize("start", [b"", b"0\r\nX: "], ids=["chunk size", "trailer"])
def test_line_of_a_chunked_body_has_to_come_in_time_in_all(stage, start, serve):
    with lab.connect(serve(stage, ECHOES, TIMEOUT=0.5).port) as client:
        client.sendall(chunks(start))
        begin = time.monotonic()
        answer = drip(client, b"0" * 100, pause=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.4 < time.monotonic() - begin < 5


@every_complete_stage
def test_each_chunk_has_time_anew(stage, serve):
    """Each in a packet of its own, within TIMEOUT; all of them together take longer."""
    chunk, last = b"4\r\nbody\r\n", b"0\r\n\r\n"
    with lab.connect(serve(stage, ECHOES, TIMEOUT=0.5).port) as client:
        client.sendall(chunks(b"", CLOSE))
        for _ in range(6):
            time.sleep(0.2)
            client.sendall(chunk)
        client.sendall(last)
        answer = lab.read_until(client, b"no such end")
    assert answer.endswith(b"body" * 6), answer


@every_complete_stage
def test_application_has_all_the_time_it_wants(stage, serve, folder):
    """TIMEOUT is for the client."""
    request = head(b"Connection: close", start=f"GET /waits?{folder}/come HTTP/1.1".encode())
    with lab.connect(serve(stage, TIMEOUT=0.5).port) as client:
        client.sendall(request)
        time.sleep(1)
        (folder / "come").touch()
        assert lab.read_until(client, b"waited").startswith(b"HTTP/1.1 200 ")


@every_complete_stage
def test_client_that_never_says_a_word_gets_none(stage, serve):
    server = serve(stage, ECHOES, TIMEOUT=0.5)
    calls = server.stderr.count("called\n")
    answer = lab.ask(server.port, b"")
    assert (answer.data, answer.error) == (b"", None)
    assert answer.end >= 0.4
    assert_serves_the_next(server, calls)
