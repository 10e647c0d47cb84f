"""Wrong: it says no Content-Length, though all of the body is there."""

from polite_wsgi import stage

server = stage("2f")
frame = server.Response.frame


def frame_without_length(response, block, length=None):
    return frame(response, block)


server.Response.frame = frame_without_length
server.main()
