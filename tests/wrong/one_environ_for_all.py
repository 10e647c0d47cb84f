"""Wrong: one dictionary serves all requests, with what the applications have left in it."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ
environ = {}


def update_environ(*words):
    environ.update(build_environ(*words))
    return environ


server.build_environ = update_environ
server.main()
