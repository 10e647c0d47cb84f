"""Wrong: start_response leaves the status in one place for all requests: 200 OK to begin with."""

from polite_wsgi import stage

server = stage("2")
response = ["200 OK", []]


def start_response(status, headers, exc_info=None):
    response[:] = status, headers


def call_application(application, environ):
    body = b"".join(application(environ, start_response))
    return *response, body


server.call_application = call_application
server.main()
