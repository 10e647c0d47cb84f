"""Wrong: the status is 200 OK, whatever the application gives."""

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


def call_and_forget_status(application, environ):
    status, headers, body = call_application(application, environ)
    return "200 OK", headers, body


server.call_application = call_and_forget_status
server.main()
