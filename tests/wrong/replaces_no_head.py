"""Wrong: it takes no exc_info, so that an application cannot think again."""

from polite_wsgi import stage

server = stage("2e")
start_response = server.Response.start_response


def start_once(response, status, headers):
    return start_response(response, status, headers)


server.Response.start_response = start_once
server.main()
