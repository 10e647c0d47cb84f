"""Wrong: the headers of the application are left out."""

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


def call_and_forget_headers(application, environ):
    status, headers, body = call_application(application, environ)
    return status, [], body


server.call_application = call_and_forget_headers
server.main()
