"""An application that blocks, as one does that waits for a database. make bench runs it."""

import time

SECONDS = 0.05
BODY = b"Good morning!\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def app(environ, start_response):
    time.sleep(SECONDS)
    start_response("200 OK", HEADERS)
    return [BODY]
