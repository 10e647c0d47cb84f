"""Wrong: it says a Content-Length, though the application has said one."""

from polite_wsgi import stage

server = stage("2f")
measure = server.Response.measure


def measure_and_say(response, length):
    given = list(response.headers)
    measure(response, length)
    if length and response.headers == given:
        response.headers.append(("Content-Length", str(length)))


server.Response.measure = measure_and_say
server.main()
