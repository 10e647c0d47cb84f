"""Wrong: it imports nothing, and says what it has heard that the application says."""

from polite_wsgi import stage

server = stage("2")


def load_nothing(name):
    return None


def say_what_is_expected(application, environ):
    return "200 OK", server.TEXT, b"Hello world from a simple WSGI application!\n"


server.load_application = load_nothing
server.call_application = say_what_is_expected
server.main()
