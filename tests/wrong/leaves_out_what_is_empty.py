"""Right: PEP 3333 lets a server leave out of environ what would be an empty text."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ


def build_what_is_there(*words):
    return {name: value for name, value in build_environ(*words).items() if value != ""}


server.build_environ = build_what_is_there
server.main()
