"""Wrong: whatever is asked for, the application hears of /hello."""

from polite_wsgi import stage

server = stage("2")
build_environ = server.build_environ
server.build_environ = lambda method, path, *others: build_environ(method, "/hello", *others)
server.main()
