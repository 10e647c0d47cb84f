"""Wrong: it collects all blocks before it sends the first."""

from polite_wsgi import stage

server = stage("2d")
call_application = server.call_application


def call_and_collect(application, environ, response):
    def collected(environ, start_response):
        return list(application(environ, start_response))

    call_application(collected, environ, response)


server.call_application = call_and_collect
server.main()
