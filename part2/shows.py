"""Applications that show what a step adds, each named for what it does.

Try it:
    python part2/webserver2c.py part2.shows:echo       (one of them)
    python part2/webserver2d.py part2.shows:app        (all of them, by path: /count, /hold, ...)
"""

import os
import time

TEXT = [("Content-Type", "text/plain")]


def echo(environ, start_response):
    """The body of the request, and how long environ says that it is."""
    length = environ.get("CONTENT_LENGTH", "")
    body = environ["wsgi.input"].read(int(length or 0))
    start_response("200 OK", TEXT)
    return [f"CONTENT_LENGTH is {length!r}, and the body: ".encode(), body, b"\n"]


def count(environ, start_response):
    """A line a second."""
    start_response("200 OK", TEXT)
    for number in range(1, 6):
        time.sleep(1)
        yield f"{number}\n".encode()


def write(environ, start_response):
    """The old way to send a body: what start_response returns is called with each block."""
    write = start_response("200 OK", TEXT)
    write(b"one ")
    time.sleep(2)
    write(b"two ")
    return [b"three\n"]


class Held:
    """An iterable that holds something until close() is called."""

    def __iter__(self):
        yield b"one "
        yield b"two\n"

    def close(self):
        print("closed", flush=True)


def hold(environ, start_response):
    start_response("200 OK", TEXT)
    return Held()


def fail(environ, start_response):
    """It fails when its head is out, and wants to say so with another: too late."""
    start_response("200 OK", TEXT)
    yield b"this goes well, and then "
    try:
        raise ValueError("something goes wrong")
    except ValueError as error:
        start_response("500 Failed", TEXT, (type(error), error, error.__traceback__))
    yield b"nobody ever sees a 500\n"


def blocks(environ, start_response):
    """Two blocks, of a length that nobody has counted."""
    start_response("200 OK", TEXT)
    yield b"one "
    yield b"two\n"


def big(environ, start_response):
    """50 MB, a megabyte at a time."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    for _ in range(50):
        yield b"0123456789abcde\n" * 65536


def split(environ, start_response):
    """A header with a line end in it: whoever can write one may send whatever he likes."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("X", "a\r\nSet-Cookie: mine")])
    return [b"split\n"]


def sleep(environ, start_response):
    time.sleep(5)
    start_response("200 OK", TEXT)
    return [b"slept\n"]


def pid(environ, start_response):
    """The process that answers."""
    start_response("200 OK", TEXT)
    return [f"{os.getpid()}\n".encode()]


def die(environ, start_response):
    os._exit(3)


NAMED = {f"/{application.__name__}": application for application in [
    echo, count, write, hold, fail, blocks, big, split, sleep, pid, die]}


def app(environ, start_response):
    """All of them, by path; pid where the path names none."""
    return NAMED.get(environ["PATH_INFO"], pid)(environ, start_response)
