"""Wrong: the name of the application stands in the server, and not on the command line."""

from polite_wsgi import stage

server = stage("2")
load_application = server.load_application
server.load_application = lambda name: load_application("part2.wsgiapp:app")
server.main()
