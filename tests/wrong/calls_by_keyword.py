"""Wrong: it names the arguments, and only some applications use these names."""

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


def call_by_keyword(application, environ):
    def by_keyword(environ, start_response):
        return application(environ=environ, start_response=start_response)

    return call_application(by_keyword, environ)


server.call_application = call_by_keyword
server.main()
