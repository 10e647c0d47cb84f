"""Wrong: chunks for a client of HTTP/1.0, which does not know them."""

from polite_wsgi import stage

server = stage("3n")
measure = server.Response.measure


def measure_as_1_1(response, length):
    response.version = "HTTP/1.1"
    measure(response, length)


server.Response.measure = measure_as_1_1
server.main()
