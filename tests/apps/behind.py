"""Applications that show what a proxy in front of their server makes of a client's words."""

import os
import time

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.apps.various import plain

SLEEP = float(os.environ.get("SLEEP", "0.1"))  # seconds that sleeps() takes


def says_path(environ, start_response):
    """The path alone."""
    return plain(start_response, environ["PATH_INFO"])


def counts(environ, start_response):
    """How much it was sent; each call leaves a line on stderr when its body is read."""
    size = len(environ["wsgi.input"].read())
    environ["wsgi.errors"].write(f"called with {size} bytes\n")
    environ["wsgi.errors"].flush()
    return plain(start_response, str(size))


def works(environ, start_response):
    """A POST that does its work, says so on stderr, and does not come to its end."""
    environ["wsgi.errors"].write("the work is done\n")
    environ["wsgi.errors"].flush()
    time.sleep(30)
    return plain(start_response, "done")


def sleeps(environ, start_response):
    time.sleep(SLEEP)
    return plain(start_response, "slept")


def streams(environ, start_response):
    """More than the kernel keeps for a connection, on either side: 32 MB."""
    start_response("200 OK", [("Content-Length", str(32 << 20))])
    return (b"x" * (1 << 20) for _ in range(32))


credulous = Flask(__name__)  # it takes what the server tells it, and no header's word


@credulous.route("/who")
def who():
    return f"{request.remote_addr} {request.url}"


fixed = Flask(__name__)  # it believes the one proxy that stands before it
fixed.route("/who")(who)
fixed.wsgi_app = ProxyFix(fixed.wsgi_app, x_for=1, x_proto=1, x_host=1)
