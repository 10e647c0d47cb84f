"""An application that says how many functions of Python were called since it last answered."""

import sys

calls = 0


def count(frame, event, argument):
    global calls
    calls += event == "call"


def app(environ, start_response):
    global calls
    sys.setprofile(count)
    seen, calls = calls, 0
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{seen:9} calls\n".encode()]
