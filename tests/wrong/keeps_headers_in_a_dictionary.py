"""Wrong: the headers go through a dictionary, which keeps one of each name."""

from polite_wsgi import stage

server = stage("2")
call_application = server.call_application


def call_and_sort_headers(application, environ):
    status, headers, body = call_application(application, environ)
    return status, list(dict(headers).items()), body


server.call_application = call_and_sort_headers
server.main()
