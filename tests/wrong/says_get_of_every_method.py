"""Wrong: every request is a GET to the application."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ
server.build_environ = lambda method, *others: build_environ("GET", *others)
server.main()
