"""Wrong: start_response returns nothing, where applications may want a write()."""

from polite_wsgi import stage

server = stage("2d")
start_response = server.Response.start_response


def start_and_return_nothing(*arguments):
    start_response(*arguments)


server.Response.start_response = start_and_return_nothing
server.main()
