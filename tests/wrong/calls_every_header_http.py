"""Wrong: Content-Type and Content-Length get an HTTP_ before them, as the other headers do."""

from polite_wsgi import stage

server = stage("2b")
build_environ = server.build_environ


def build_with_prefix(request, *addresses):
    return {**build_environ(dict(request), *addresses), **request}


server.build_environ = build_with_prefix
server.main()
