"""Wrong: environ has what the request says, and nothing of WSGI's own."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ
server.build_environ = lambda *words: {
    name: value for name, value in build_environ(*words).items() if not name.startswith("wsgi.")}
server.main()
