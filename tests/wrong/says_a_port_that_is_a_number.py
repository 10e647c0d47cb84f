"""Wrong: SERVER_PORT is a number, where PEP 3333 wants text."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ


def build_with_number(*words):
    environ = build_environ(*words)
    return {**environ, "SERVER_PORT": int(environ["SERVER_PORT"])}


server.build_environ = build_with_number
server.main()
