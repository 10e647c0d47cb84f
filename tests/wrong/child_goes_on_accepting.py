"""Wrong: where the application fails, the child comes back to the loop, and accepts clients too."""

import os

from polite_wsgi import stage

server = stage("3h")


def respond(request, application, server_address):
    try:
        environ = server.build_environ(*server.parse_request(request), server_address)
    except ValueError:
        return server.assemble_response("400 Bad Request", server.TEXT, b"Bad request\n")
    return server.assemble_response(*server.call_application(application, environ))


def start_child(listen_socket, client_connection, application):
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid:
        server.children.add(pid)
        return True
    try:
        server.handle_request(client_connection, application)
        os._exit(0)
    except Exception as error:
        print(f"The application failed: {error}", flush=True)
        return True


server.respond, server.start_child = respond, start_child
server.main()
