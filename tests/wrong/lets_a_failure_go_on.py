"""Wrong: with exc_info start_response is content, though the head has gone out."""

from polite_wsgi import stage

server = stage("2e")
start_response = server.Response.start_response


def start_again(response, status, headers, exc_info=None):
    if response.headers_sent:
        return response.write
    return start_response(response, status, headers, exc_info)


server.Response.start_response = start_again
server.main()
