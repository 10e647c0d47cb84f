"""Wrong: SERVER_PORT is a number, where PEP 3333 wants text."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ
server.build_environ = lambda *words: {**build_environ(*words), "SERVER_PORT": words[-1][1]}
server.main()
