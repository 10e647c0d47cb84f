"""Wrong: of the body's blocks it sends the first."""

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


def call_for_one_block(application, environ):
    def first_block(environ, start_response):
        return [next(iter(application(environ, start_response)))]

    return call_application(first_block, environ)


server.call_application = call_for_one_block
server.main()
