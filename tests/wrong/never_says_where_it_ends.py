"""Wrong: a body of unknown length goes out as it is, on a connection that stays open."""

from polite_wsgi import stage

server = stage("3n")
measure = server.Response.measure


def measure_without_chunks(response, length):
    measure(response, length)
    if response.chunked:
        response.headers = [each for each in response.headers if each[0] != "Transfer-Encoding"]
        response.chunked, response.remaining = False, Endless()


class Endless(int):
    """A number of bytes that is never used up, and passes for none."""

    def __new__(cls):
        return super().__new__(cls, server.sys.maxsize)

    def __sub__(self, number):
        return self

    def __eq__(self, number):
        return True


server.Response.measure = measure_without_chunks
server.main()
