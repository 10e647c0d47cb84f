"""Applications of the checks' own: whoever writes a server cannot know what they say.

NONCE, in the server's environment, is a word that a check makes up each time it starts a server.
"""

import json
import os
import uuid
import warnings
from wsgiref.validate import check_environ

NONCE = os.environ.get("NONCE") or "a-word"
TEXT = [("Content-Type", "text/plain")]
NO_TEXT = b"\x80\xff\x00 "


def says_nonce(environ, start_response):
    start_response("200 OK", TEXT)
    return [NONCE.encode()]


def says_something_new(request, respond):
    """Another body each time it is called: by position, for it has names of its own."""
    respond("200 OK", TEXT)
    return [uuid.uuid4().hex.encode()]


def has_a_status_of_its_own(environ, start_response):
    """Two of its headers have the same name."""
    start_response(f"299 Nonce {NONCE}", [
        *TEXT, ("Content-Length", "12"), ("X-Nonce", NONCE), ("Set-Cookie", "a=1"),
        ("Set-Cookie", f"b={NONCE}")])
    return [b"see my head\n"]


def comes_in_blocks(environ, start_response):
    """The blocks of a generator: nobody knows how many there are. One is no text. /list has them
    in a list."""
    start_response("200 OK", TEXT)
    blocks = [b"one ", NO_TEXT, b"two ", NONCE.encode()]
    return blocks if environ.get("PATH_INFO") == "/list" else (block for block in blocks)


def starts_late(environ, start_response):
    """A generator: none of its lines runs before the first block is asked for."""
    start_response(f"298 Late {NONCE}", [*TEXT, ("X-Late", NONCE)])
    yield b"better late"


def never_starts(environ, start_response):
    return [b"no status and no headers"]


def says_what_was_asked(environ, start_response):
    body = f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}".encode()
    start_response("200 OK", [*TEXT, ("Content-Length", str(len(body)))])
    return [body]


def marks_its_environ(environ, start_response):
    """It says whether there is a mark already."""
    body = b"used before" if "tests.mark" in environ else b"new"
    environ["tests.mark"] = NONCE
    start_response("200 OK", TEXT)
    return [body]


def looks_at_environ(environ, start_response):
    """JSON: the first thing that is wrong with environ, None if nothing is; and its SERVER_PORT."""
    start_response("200 OK", TEXT)
    found = [wrong_in(environ), repr(environ.get("SERVER_PORT"))]
    return [json.dumps(found).encode()]


REQUIRED = [  # the others of PEP 3333 may be missing where they are empty
    "REQUEST_METHOD", "PATH_INFO", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
    "wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.errors", "wsgi.multithread",
    "wsgi.multiprocess", "wsgi.run_once"]
FIXED = {"SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http"}


def wrong_in(environ):
    """A sentence on an environ that was made of a request of HTTP/1.1 without a body, or None."""
    missing = [name for name in REQUIRED if name not in environ]
    if missing:
        return f"It has no {', no '.join(missing)}."
    for name, value in FIXED.items():
        if environ[name] != value:
            return f"{name} is {environ[name]!r} and not {value!r}."
    warnings.simplefilter("ignore")  # QUERY_STRING may be missing, and
    environ.setdefault("SCRIPT_NAME", "")  # SCRIPT_NAME, which wsgiref.validate does not know
    try:
        check_environ(environ)
    except AssertionError as error:
        return f"wsgiref.validate says: {error}."
    body = environ["wsgi.input"].read(10)
    return None if body == b"" else f"wsgi.input.read(10) gives {body!r}, and b'' is all there is."


def fails(environ, start_response):
    raise ZeroDivisionError(f"the application of {NONCE} fails when it is called")


def fails_later(environ, start_response):
    """Its second block is an error."""
    start_response("200 OK", TEXT)
    yield b"one "
    raise ZeroDivisionError(f"the application of {NONCE} fails in its second block")


def is_large(environ, start_response):
    """14 megabytes in one block."""
    start_response("200 OK", [*TEXT, ("Content-Length", "14000000")])
    return [b"Hello, World!\n" * 1_000_000]
