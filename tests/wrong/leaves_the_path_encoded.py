"""Wrong: a blank stays %20 in PATH_INFO."""

from polite_wsgi import stage

server = stage("2b")


def leave(path, encoding):
    return path


server.unquote = leave
server.main()
