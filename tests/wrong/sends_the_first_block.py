"""Wrong: of the body's blocks it sends the first."""

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


def first_block_of(application):
    return lambda environ, start_response: [next(iter(application(environ, start_response)))]


server.call_application = lambda application, environ: call_application(
    first_block_of(application), environ)
server.main()
