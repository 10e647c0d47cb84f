"""Wrong: it takes status and headers before it asks for the first block."""

from polite_wsgi import stage

server = stage("2")


def call_application(application, environ):
    response = ["200 OK", []]

    def start_response(status, headers, exc_info=None):
        response[:] = status, headers

    blocks = application(environ, start_response)
    status, headers = response
    return status, headers, b"".join(blocks)


server.call_application = call_application
server.main()
