"""Wrong: HEAD gets what GET gets, a body as well."""

from polite_wsgi import stage

server = stage("2f")
measure = server.Response.measure


def measure_as_get(response, length):
    response.method = "GET"
    measure(response, length)


server.Response.measure = measure_as_get
server.main()
