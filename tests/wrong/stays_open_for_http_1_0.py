"""Wrong: a connection of HTTP/1.0 stays open, though nobody asked for that."""

from polite_wsgi import stage

server = stage("3n")
heed = server.Response.heed


def heed_no_version(response, environ):
    if environ["SERVER_PROTOCOL"] == "HTTP/1.0" and "HTTP_CONNECTION" not in environ:
        environ["HTTP_CONNECTION"] = "keep-alive"
    heed(response, environ)


server.Response.heed = heed_no_version
server.main()
