"""Wrong: the header X-Probe is HTTP_X-PROBE in environ, where nobody looks for it."""

from polite_wsgi import stage

server = stage("2b")
parse_headers = server.parse_headers


def parse_with_dashes(lines):
    headers = parse_headers(lines)
    return {"HTTP_" + name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in headers.items()}


server.parse_headers = parse_with_dashes
server.main()
