"""Wrong: a request that it has seen before gets the answer of that time."""

import functools

from polite_wsgi import stage

server = stage("2")
server.respond = functools.cache(server.respond)
server.main()
