"""Applications without a framework: whatever can be called may be one (PEP 3333).

Try it:
    python part2/webserver2.py part2.wsgiapp:app       (or AppClass, or app_object)
    curl http://localhost:8888/hello
"""

BODY = b"Hello world from a simple WSGI application!\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def app(environ, start_response):
    """A function: called for each request, it returns the blocks of the body."""
    start_response("200 OK", HEADERS)
    return [BODY]


class AppClass:
    """A class: to call it makes an instance, and the instance is the iterable."""

    def __init__(self, environ, start_response):
        start_response("200 OK", HEADERS)

    def __iter__(self):
        yield BODY


class AppWithCall:
    """An object with __call__: it can keep something from one request to the next."""

    def __call__(self, environ, start_response):
        return app(environ, start_response)


app_object = AppWithCall()
