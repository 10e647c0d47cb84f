"""Wrong: it is ready for an application that fails when it is called, not for one that fails later:
a generator's first line runs when the first block is asked for."""

from polite_wsgi import stage

server = stage("2")


def respond(request, application, server_address):
    response = []

    def start_response(status, headers, exc_info=None):
        response[:] = status, headers

    try:
        environ = server.build_environ(*server.parse_request(request), server_address)
    except ValueError:
        return server.assemble_response("400 Bad Request", server.TEXT, b"Bad request\n")
    try:
        blocks = application(environ, start_response)
    except Exception:
        return server.assemble_response("500 Internal Server Error", server.TEXT, b"It failed\n")
    body = b"".join(blocks)
    return server.assemble_response(*(response or ["500 Never Started", []]), body)


server.respond = respond
server.main()
