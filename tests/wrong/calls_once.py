"""Wrong: it calls the application for the first request, and gives that answer to all."""

import functools

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


@functools.cache
def call_once(application):
    return call_application(application, server.build_environ("GET", "/", "HTTP/1.1", ("", 80)))


server.call_application = lambda application, environ: call_once(application)
server.main()
