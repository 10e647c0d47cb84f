"""WSGI applications that use what PEP 3333 promises. The first names in its body what it missed."""

import itertools
import sys
from wsgiref.validate import validator


class Body:
    """An iterable with a close() that leaves a trace on the server's stderr."""

    def __init__(self, blocks, errors):
        self.blocks = blocks
        self.errors = errors

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        self.errors.write("the iterable was closed\n")
        self.errors.flush()


def app(environ, start_response):
    """Wants POST /a%20b?c=d%20e with X-Probe: 1 and the body `body`."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    missing = [name for name, there in {
        "QUERY_STRING": environ.get("QUERY_STRING") == "c=d%20e",
        "PATH_INFO": environ.get("PATH_INFO") == "/a b",
        "HTTP_X_PROBE": environ.get("HTTP_X_PROBE") == "1",
        "wsgi.input": body == b"body",
    }.items() if not there]
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        raise ValueError("no headers are out yet: the second call replaces the first")
    except ValueError:
        write = start_response("203 Replaced", [("Content-Type", "text/plain")], sys.exc_info())
    if write:
        write(b"written first, ")
    return Body([f"missing: {', '.join(missing)}.".encode()], environ["wsgi.errors"])


validated = validator(app)  # it raises AssertionError, with a sentence, where a rule is broken


def fails_in_the_middle(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Body(itertools.chain([b"one "], fail()), environ["wsgi.errors"])


def fail():
    raise ZeroDivisionError("the second block of this application is an error")
    yield


def never_ends(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Body(itertools.repeat(bytes(65536)), environ["wsgi.errors"])
