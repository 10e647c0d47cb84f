"""A response, taken by the grammar of HTTP (RFC 9112), and nothing let pass."""

import re
from dataclasses import dataclass, field

STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) [\t -~\x80-\xff]*")  # section 4
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~\x80-\xff]*)")  # section 5
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t -~\x80-\xff]*)?")  # section 7.1
EMPTY_LINE = b"\r\n\r\n"


class Malformed(ValueError):
    """What came is no response of HTTP; the message says in a sentence what is wrong with it."""


@dataclass
class Response:
    """What a server sent, taken apart.

    headers   a list of (name, value), as bytes, names in lower case
    lacks     a sentence on what is still to come by what its head says; "" if nothing is, or if
              only the end of the connection can tell
    """

    status: int
    headers: list = field(default_factory=list)
    body: bytes = b""
    lacks: str = ""

    def values(self, name):
        return [value for each, value in self.headers if each == name]


def parse(data):
    """All that came on a connection, as one Response. Raises Malformed."""
    head, end, rest = data.partition(EMPTY_LINE)
    if not end:
        raise Malformed(why_no_head(data))
    status_line, *lines = head.split(b"\r\n")
    response = Response(status_of(status_line), [header(line) for line in lines])
    response.body, response.lacks = body_of(response, rest)
    return response


def why_no_head(data):
    """A sentence on what came without an empty line."""
    if b"\n" in data and b"\r\n" not in data:
        return "Its lines end with \\n alone; in HTTP they end with \\r\\n."
    if alone := re.search(rb"([^\r\n]+)\n\r?\n", data):
        return (f"The line {alone[1][:80]!r} ends with \\n alone; in HTTP each line ends with "
                "\\r\\n, the empty one as well.")
    return "There is no empty line, \\r\\n\\r\\n, at the end of its head."


def status_of(line):
    """The status code of a status line."""
    match = STATUS_LINE.fullmatch(line)
    if not match:
        raise Malformed("A status line such as HTTP/1.1 200 OK comes first, and not "
                        f"{line[:80]!r}.")
    return int(match[1])


def header(line):
    """(name, value) of one header line."""
    match = HEADER.fullmatch(line)
    if not match:
        raise Malformed("Before the empty line each line is a header, Name: value, and not "
                        f"{line[:80]!r}.")
    return match[1].lower(), match[2].strip(b" \t")


def body_of(response, rest):
    """The body, and a sentence on what it lacks."""
    if response.values(b"transfer-encoding"):
        return without_chunks(rest)
    lengths = response.values(b"content-length")
    if not lengths:
        return rest, ""
    if len(set(lengths)) > 1 or not re.fullmatch(rb"\d{1,18}", lengths[0]):
        raise Malformed(f"Content-Length is {b', '.join(lengths)[:80]!r}, and ought to be one "
                        "number.")
    length = int(lengths[0])
    told = f"Content-Length says {length} bytes, and {len(rest)} came after the empty line."
    if len(rest) > length:
        raise Malformed(told)
    return rest, told if len(rest) < length else ""


def without_chunks(rest):
    """The body that came in chunks, and a sentence on what it lacks."""
    body = b""
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return body, NOT_THE_LAST
        match = CHUNK_SIZE.fullmatch(line)
        if not match:
            raise Malformed(f"A chunk begins with its size, in hexadecimal, not {line[:80]!r}.")
        size = int(match[1], 16)
        if size == 0:
            return body, "" if ends_here(rest) else "No empty line follows its last chunk."
        chunk, rest = rest[:size], rest[size:]
        body += chunk
        if len(rest) < 2:
            return body, NOT_THE_LAST
        if not rest.startswith(b"\r\n"):
            raise Malformed(f"A chunk of {size} bytes is followed by {rest[:80]!r}, not by \\r\\n.")
        rest = rest[2:]


NOT_THE_LAST = "Its chunks end without the last one, whose size is 0."


def ends_here(rest):
    """Whether an empty line has come after the last chunk; before it there may be headers."""
    line, end, rest = rest.partition(b"\r\n")
    while end and line:
        header(line)
        line, end, rest = rest.partition(b"\r\n")
    if end and rest:
        raise Malformed(f"After the last chunk and its empty line came {rest[:80]!r}.")
    return bool(end)
