"""Wrong: it imports nothing, and says what it has heard that the application says."""

from polite_wsgi import stage

server = stage("2")
BODY = b"Hello world from a simple WSGI application!\n"
server.load_application = lambda name: None
server.call_application = lambda application, environ: ("200 OK", server.TEXT, BODY)
server.main()
