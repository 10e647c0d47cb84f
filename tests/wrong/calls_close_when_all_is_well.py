"""Wrong: close() is called after the last block, and so not if there is none, for the application
has failed or the client is gone."""

from polite_wsgi import stage

server = stage("2e")


def call_application(application, environ, response):
    blocks = application(environ, response.start_response)
    for block in blocks:
        response.write(block)
    if not response.headers_sent:
        response.connection.send(response.frame(b""))
    if hasattr(blocks, "close"):
        blocks.close()


server.call_application = call_application
server.main()
