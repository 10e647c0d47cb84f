"""Wrong: the headers of the application are left out."""

from polite_wsgi import stage

server = stage("2")
assemble_response = server.assemble_response
server.assemble_response = lambda status, headers, body: assemble_response(status, [], body)
server.main()
