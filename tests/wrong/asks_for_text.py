"""Wrong: it takes the blocks of the body for text, and sends what it can decode."""

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


def call_for_text(application, environ):
    status, headers, body = call_application(application, environ)
    return status, headers, body.decode("utf-8", "replace").encode()


server.call_application = call_for_text
server.main()
