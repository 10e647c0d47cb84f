"""Wrong: it takes the body for a list, and asks how many blocks it has."""

from polite_wsgi import stage

server = stage("2")


def call_application(application, environ):
    response = []

    def start_response(status, headers, exc_info=None):
        response[:] = status, headers

    blocks = application(environ, start_response)
    body = b"".join(blocks[number] for number in range(len(blocks)))
    return *response, body


server.call_application = call_application
server.main()
