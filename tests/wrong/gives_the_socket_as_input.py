"""Wrong: wsgi.input is all that may ever come, so that read() waits for the client to leave."""

from polite_wsgi import stage

server = stage("2")
read_request, build_environ = server.read_request, server.build_environ
connections = []


def read_and_remember(connection):
    connections[:] = [connection]
    return read_request(connection)


def build_with_socket(*words):
    return {**build_environ(*words), "wsgi.input": connections[0].makefile("rb")}


server.read_request = read_and_remember
server.build_environ = build_with_socket
server.main()
