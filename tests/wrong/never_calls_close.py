"""Wrong: what the application returned may have a close(), and nobody calls it."""

from polite_wsgi import stage

server = stage("2e")
call_application = server.call_application


def call_without_close(application, environ, response):
    def no_close(environ, start_response):
        return iter(application(environ, start_response))

    call_application(no_close, environ, response)


server.call_application = call_without_close
server.main()
