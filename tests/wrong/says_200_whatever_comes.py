"""Wrong: the status is 200 OK, whatever the application gives."""

from polite_wsgi import stage

server = stage("2")
assemble_response = server.assemble_response
server.assemble_response = lambda status, headers, body: assemble_response("200 OK", headers, body)
server.main()
