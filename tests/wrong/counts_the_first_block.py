"""Wrong: the Content-Length that it makes is that of the first block."""

from polite_wsgi import stage

server = stage("2f")
frame = server.Response.frame


def frame_and_count(response, block, length=None):
    return frame(response, block, None if length is None else len(block))


server.Response.frame = frame_and_count
server.main()
