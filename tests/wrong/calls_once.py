"""Wrong: it calls the application for the first request, and gives that answer to all."""

from polite_wsgi import stage

server = stage("2")
call_application, answers = server.call_application, []


def call_once(application, environ):
    if not answers:
        answers.append(call_application(application, environ))
    return answers[0]


server.call_application = call_once
server.main()
