"""Wrong: the headers go through a dictionary, which keeps one of each name."""

from polite_wsgi import stage

server = stage("2")
assemble_response = server.assemble_response
server.assemble_response = lambda status, headers, body: assemble_response(
    status, dict(headers).items(), body)
server.main()
