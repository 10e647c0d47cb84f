"""Wrong: wsgi.input is all that may ever come, so that read() waits for the client to leave."""

from polite_wsgi import stage

server = stage("2")
connections = []
read_request, build_environ = server.read_request, server.build_environ


def read_and_remember(connection):
    connections[:] = [connection]
    return read_request(connection)


server.read_request = read_and_remember
server.build_environ = lambda *words: {
    **build_environ(*words), "wsgi.input": connections[0].makefile("rb")}
server.main()
