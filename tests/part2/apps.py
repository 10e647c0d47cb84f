"""Applications that show what a server does with them. Each is named for what it does."""

import subprocess
import sys
import time


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


print("the application is loaded", flush=True)
no_application = "a name that cannot be called"
