"""Wrong: where the application fails, the server ends."""

from polite_wsgi import stage

server = stage("2")


def respond(request, application, server_address):
    try:
        environ = server.build_environ(*server.parse_request(request), server_address)
    except ValueError:
        return server.assemble_response("400 Bad Request", server.TEXT, b"Bad request\n")
    return server.assemble_response(*server.call_application(application, environ))


server.respond = respond
server.main()
