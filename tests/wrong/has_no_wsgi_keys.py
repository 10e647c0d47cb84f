"""Wrong: environ has what the request says, and nothing of WSGI's own."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ


def build_half(*words):
    environ = build_environ(*words)
    return {name: value for name, value in environ.items() if not name.startswith("wsgi.")}


server.build_environ = build_half
server.main()
