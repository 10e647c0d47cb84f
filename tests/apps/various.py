"""Applications that show what a server does with them. Each is named for what it does."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from wsgiref.util import FileWrapper, request_uri, shift_path_info
from wsgiref.validate import validator


def plain(start_response, text, status="200 OK", headers=()):
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body))),
                            *headers])
    return [body]


def says_environ(environ, start_response):
    """The environ, an entry a line, as `name=value` with Python's repr of the value."""
    return plain(start_response, "".join(f"{key}={value!r}\n" for key, value in environ.items()))


def says_arguments(*arguments):
    """What it was called with: the types of the arguments, and whether the second is callable."""
    start_response = arguments[1]
    kinds = [type(argument).__name__ for argument in arguments]
    return plain(start_response, f"{kinds} {callable(start_response)}")


def returns_generator(environ, start_response):
    """A generator: start_response is called only when the first block is asked for."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"one "
    yield b""
    yield b"two"


def returns_tuple(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return b"one ", b"two"


def prints(environ, start_response):
    print("the application is called", flush=True)
    return plain(start_response, "done")


def chooses_status(environ, start_response):
    return plain(start_response, "short and stout", "418 I'm a teapot", [("X-Kettle", "on")])


def raises(environ, start_response):
    if environ["PATH_INFO"] == "/hello":
        return plain(start_response, "fine")
    raise ZeroDivisionError("the application divided by zero")


def exits(environ, start_response):
    if environ["PATH_INFO"] == "/hello":
        return plain(start_response, "fine")
    sys.exit("the application wants to leave")


def never_starts(environ, start_response):
    return [b"a body without a status"]


def returns_text(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["text where bytes belong"]


def sends_no_latin1(environ, start_response):
    return plain(start_response, "", "200 \N{SNOWMAN}")


def starts_twice(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return plain(start_response, "started twice")


def sleeps(environ, start_response):
    """A second of work that keeps nobody else from working."""
    time.sleep(1)
    return plain(start_response, "slept")


def runs_a_program(environ, start_response):
    """The exit status of a program that it starts, and waits for a while after its end: 7, unless
    somebody else has reaped it before."""
    program = subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(7)"],
                               stdout=subprocess.PIPE)
    program.stdout.read()  # returns when the program ends
    time.sleep(0.2)
    return plain(start_response, f"status {program.wait()}")


def echoes(environ, start_response):
    """The body of the request; each call leaves a line on stderr."""
    environ["wsgi.errors"].write("called\n")
    environ["wsgi.errors"].flush()
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return plain(start_response, body.decode("latin-1"))


def says_reading(environ, start_response):
    """How the server read the request: all that the client has a say in, as JSON."""
    names = ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "CONTENT_TYPE",
             "CONTENT_LENGTH", *sorted(name for name in environ if name.startswith("HTTP_"))]
    read = {name: environ.get(name, "") for name in names}
    body = environ["wsgi.input"].read().decode("latin-1")
    return plain(start_response, json.dumps({**read, "body": body}))


def says_url(environ, start_response):
    """The URL as it was asked for, put together again as PEP 3333 tells applications to do it."""
    return plain(start_response, request_uri(environ))


READS = {  # how a file may be read: each a function of the file
    "read": lambda file: file.read(),
    "read(-1)": lambda file: file.read(-1),
    "read(0)": lambda file: (file.read(0), file.read(3)),
    "read(3)": lambda file: list(iter(partial(file.read, 3), b"")),
    "read(1000)": lambda file: (file.read(1000), file.read(1000)),
    "read past the end": lambda file: (file.read(), file.read(), file.read(1), file.readline()),
    "readline": lambda file: list(iter(file.readline, b"")),
    "readline(4)": lambda file: list(iter(partial(file.readline, 4), b"")),
    "readline(-1)": lambda file: file.readline(-1),
    "readlines": lambda file: file.readlines(),
    "readlines(4)": lambda file: (file.readlines(4), file.read()),
    "for line in": list,
    "some of each": lambda file: (file.read(2), file.readline(), next(iter(file)), file.read()),
}


def reads(environ, start_response):
    """The repr of what wsgi.input gives, read in the way of READS that the path names."""
    way = READS[environ["PATH_INFO"].removeprefix("/")]
    return plain(start_response, repr(way(environ["wsgi.input"])))


def leaves_the_body(environ, start_response):
    """An answer without a look at what was sent."""
    return plain(start_response, "not read")


def starts_as_told(environ, start_response):
    """The body of the request is JSON: a status, a list of headers, and the blocks to return."""
    status, headers, *blocks = json.loads(environ["wsgi.input"].read())
    try:
        start_response(status, [tuple(header) for header in headers])
    except Exception:
        environ["wsgi.errors"].write("start_response raised\n")
        raise
    return [block.encode() for block in blocks]


def writes(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"one ")
    write(b"")
    write(b"two ")
    return [b"three ", b"four"]


def starts_when_asked_for_a_block(environ, start_response):
    """An iterator whose start_response is called at the last moment that is allowed."""
    class Body:
        def __init__(self):
            self.blocks = iter([b"one ", b"two"])
            self.started = False

        def __iter__(self):
            return self

        def __next__(self):
            if not self.started:
                self.started = True
                start_response("200 OK", [("Content-Type", "text/plain")])
            return next(self.blocks)

    return Body()


def replaces_its_headers(environ, start_response):
    """A first block is empty, so no headers are out when it calls start_response again."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-First", "yes")])
    yield b""
    try:
        raise ValueError("the application thinks again")
    except ValueError:
        start_response("203 Replaced", [("Content-Type", "text/plain")], sys.exc_info())
    yield b"replaced"


def starts_with_exc_info(environ, start_response):
    """The first and only call has an exc_info."""
    try:
        raise ValueError("before any headers")
    except ValueError:
        start_response("503 Busy", [("Content-Type", "text/plain")], sys.exc_info())
    return [b"busy"]


def replaces_too_late(environ, start_response):
    """Headers are out: start_response has to raise the error that it is told of."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "100")])
    yield b"one "
    try:
        raise ValueError("after the headers")
    except ValueError as error:
        try:
            start_response("500 Error", [("Content-Type", "text/plain")], sys.exc_info())
        except ValueError as raised:
            environ["wsgi.errors"].write(f"the same error: {raised is error}\n")
            raise
    yield b"never sent"


def raises_after_a_block(environ, start_response):
    """With ?LENGTH it promises that many bytes of body."""
    length = [("Content-Length", environ["QUERY_STRING"])] if environ["QUERY_STRING"] else []
    start_response("200 OK", [("Content-Type", "text/plain"), *length])
    yield b"one "
    raise ZeroDivisionError("the application divided by zero, in the middle of its body")


def exits_after_a_block(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "100")])
    yield b"one "
    sys.exit("the application wants to leave, in the middle of its body")


def never_starts_and_has_no_body(environ, start_response):
    return []


def returns_nothing(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])


def yields_text(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield "text where bytes belong"


def yields_text_later(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "8")])
    yield b"one "
    yield "two "


def ends_its_process(environ, start_response):
    """Asked for /hello it answers, else it ends without a word to anybody."""
    if environ["PATH_INFO"] == "/hello":
        return plain(start_response, "fine")
    os._exit(3)


class Closable:
    """An iterable whose close() leaves a line on stderr; `fails` names the method that raises."""

    def __init__(self, errors, fails):
        self.errors = errors
        self.fails = fails

    def __iter__(self):
        if self.fails == "iter":
            raise ZeroDivisionError("in __iter__")
        yield b"one "
        if self.fails == "next":
            raise ZeroDivisionError("in __next__")
        yield b"two"

    def close(self):
        self.errors.write("closed\n")
        self.errors.flush()
        if self.fails == "close":
            raise ZeroDivisionError("in close")
        if self.fails == "oserror":
            raise OSError("the application could not remove its file")
        if self.fails == "exit":
            sys.exit("the application wants to leave, in close")


def returns_closable(environ, start_response):
    """The query may name what fails: iter, next, close; oserror: close() raises an OSError; exit:
    close() calls sys.exit; start: start_response is not called."""
    if environ["QUERY_STRING"] != "start":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "7")])
    return Closable(environ["wsgi.errors"], environ["QUERY_STRING"])


def wait_for(path, seconds=10):
    """Wait until there is a file of that name."""
    deadline = time.monotonic() + seconds
    while not Path(path).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not come in {seconds} s")
        time.sleep(0.01)


def waits_between_blocks(environ, start_response):
    """The second block comes when there is a file named as the query says."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"one "
    wait_for(environ["QUERY_STRING"])
    yield b"two"


def waits_after_write(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"one ")
    wait_for(environ["QUERY_STRING"])
    return [b"two"]


def waits(environ, start_response):
    wait_for(environ["QUERY_STRING"])
    return plain(start_response, "waited")


def wraps_a_file(environ, start_response):
    """The text of this module, by wsgi.file_wrapper if the server has one."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    wrapper = environ.get("wsgi.file_wrapper", FileWrapper)
    return wrapper(open(__file__, "rb"), 1000)


def writes_errors(environ, start_response):
    errors = environ["wsgi.errors"]
    errors.write("written to wsgi.errors, ")
    errors.writelines(["and ", "lines\n"])
    errors.flush()
    return plain(start_response, "done")


def spoils_its_environ(environ, start_response):
    """It says what it finds, then leaves what the next request must not see."""
    answer = says_environ(environ, start_response)
    environ["spoilt"] = "by the request before"
    environ["wsgi.url_scheme"] = "gopher"
    return answer


class Unheard(BaseException):
    """An error that nobody has ever heard of."""


ERRORS = {error.__name__: error for error in [
    ValueError, OSError, ConnectionResetError, BlockingIOError, TimeoutError, StopIteration,
    asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit, BaseException, Unheard]}


def raises_any(environ, start_response):
    """/ERROR/before raises it at once, /ERROR/after when a block is out, /ERROR/close at last."""
    name, when = environ["PATH_INFO"].strip("/").split("/")
    if when == "before":
        raise ERRORS[name]("before the head")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "7")])
    return Raising(ERRORS[name], when)


class Raising:
    """The blocks `one ` and `two`; the error comes between them, or from close()."""

    def __init__(self, error, when):
        self.blocks, self.error, self.when = [b"two", b"one "], error, when

    def __iter__(self):
        return self

    def __next__(self):
        if not self.blocks:
            raise StopIteration
        if self.when == "after" and len(self.blocks) == 1:
            raise self.error("after a block")
        return self.blocks.pop()

    def close(self):
        if self.when == "close":
            raise self.error("in close")


MEGABYTE = bytes(range(256)) * 4096


def streams(environ, start_response):
    """As many megabytes as the query says, without an end if it says none. Each that the server
    asks for leaves a line on stderr, and the close of it all as well."""
    megabytes = int(environ["QUERY_STRING"] or 1_000_000)
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    try:
        for _ in range(megabytes):
            environ["wsgi.errors"].write("a megabyte\n")
            yield MEGABYTE
    finally:
        environ["wsgi.errors"].write("closed\n")


def ticks(environ, start_response):
    """Small blocks without an end: the next is ready as soon as one is sent."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    while True:
        yield b"tick\n"


def amount(environ):
    """The query as two numbers: so many bytes, in blocks of so many."""
    size, block = map(int, environ["QUERY_STRING"].split(","))
    return size // block, bytes(block)


def returns_blocks(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    count, block = amount(environ)
    for _ in range(count):
        yield block


def writes_blocks(environ, start_response):
    """By write(). A line on stderr says that it is over, however it ends."""
    write = start_response("200 OK", [("Content-Type", "application/octet-stream")])
    count, block = amount(environ)
    try:
        for _ in range(count):
            write(block)
    finally:
        environ["wsgi.errors"].write("no more to write\n")
        environ["wsgi.errors"].flush()
    return []


def paces(environ, start_response):
    """As many blocks of a byte as the query says, each a fifth of a second after the one before."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(int(environ["QUERY_STRING"])):
        time.sleep(0.2)
        yield b"."


def takes_a_millisecond(environ, start_response):
    time.sleep(0.001)
    return plain(start_response, "done")


def says_threads(environ, start_response):
    """The thread that called it, then that of each block, and that of close() on stderr."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Threads(environ["wsgi.errors"])


class Threads:
    def __init__(self, errors):
        self.errors, self.caller = errors, threading.get_ident()

    def __iter__(self):
        yield f"{self.caller}\n".encode()
        for _ in range(100):
            yield f"{threading.get_ident()}\n".encode().rjust(50_000)

    def close(self):
        self.errors.write("closed by the same thread: "
                          f"{threading.get_ident() == self.caller}\n")


def says_long_header(environ, start_response):
    """A header that is never the same, of as many bytes as the query says."""
    size = int(environ["QUERY_STRING"])
    return plain(start_response, "", headers=[("X-Long", str(next(NUMBERS)).rjust(size, "a"))])


NUMBERS = itertools.count()
TAKEN = []  # descriptors that takes_descriptors has


def takes_descriptors(environ, start_response):
    """All that there are, until gives_descriptors_back."""
    with suppress(OSError):
        while True:
            TAKEN.append(os.open(os.devnull, os.O_RDONLY))
    return plain(start_response, "taken")


def gives_descriptors_back(environ, start_response):
    while TAKEN:
        os.close(TAKEN.pop())
    return plain(start_response, "given back")


def says_size(environ, start_response):
    """How many bytes it was sent, read a little at a time."""
    blocks = iter(partial(environ["wsgi.input"].read, 65536), b"")
    return plain(start_response, str(sum(map(len, blocks))))


def says_peak(environ, start_response):
    """The most memory that its process ever had, in MiB, once the request's body was read."""
    while environ["wsgi.input"].read(65536):
        pass
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines()
              if line.startswith("VmHWM:")]
    return plain(start_response, str(int(line.split()[1]) // 1024))


def naps(environ, start_response):
    time.sleep(0.05)
    return plain(start_response, "rested")


def says_pid(environ, start_response):
    return plain(start_response, str(os.getpid()))


def named(environ, start_response):
    """The application of this module that the path begins with: /sleeps/a is sleeps, asked for /a.
    A path that names none gets says_environ."""
    name = environ["PATH_INFO"].split("/")[1:2]
    application = name and globals().get(name[0])
    if not callable(application):
        return says_environ(environ, start_response)
    shift_path_info(environ)
    return application(environ, start_response)


validated = validator(named)


print("the application is loaded", flush=True)
no_application = "a name that cannot be called"
