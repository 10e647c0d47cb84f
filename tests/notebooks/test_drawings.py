"""What a reader sees in each drawing, as far as a program can tell."""

import io

import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from lab import drawings

REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nHello!\n"
STEPS = [("→", "application(environ, start_response)"), ("←", "start_response(status, headers)")]
DRAWINGS = {
    "two sockets": lambda: drawings.two_sockets("curl", "webserver1.py", 8888),
    "URL": lambda: drawings.url_parts("http://localhost:8888/hello"),
    "messages": lambda: drawings.messages(REQUEST, RESPONSE),
    "glue": lambda: drawings.glue(["ours", "wsgiref"], ["Flask", "Django", "Pyramid"], "WSGI"),
    "lanes": lambda: drawings.lanes("server", "application", STEPS),
}


@pytest.fixture(params=DRAWINGS)
def draw(request):
    return DRAWINGS[request.param]


def texts(drawing):
    return [text.get_text() for text in drawing.findobj(Text) if text.get_text()]


def drawn(drawing, kind):
    return drawing.findobj(lambda artist: artist.get_gid() == kind)


def test_it_is_opaque_and_on_white_ground(draw):
    pixels = imread(io.BytesIO(draw().png()))
    assert (pixels[..., 3:] == 1).all(), "some pixel is transparent: a dark page shines through"
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3] == 1).all(), "a corner is not white"


def test_nothing_leaves_it(draw):
    drawing = draw()
    width, height = drawing.get_size_inches()
    used = drawing.get_tightbbox()
    assert -0.01 <= used.x0 <= used.x1 <= width + 0.01, f"{used} is cut off at {width} inches"
    assert -0.01 <= used.y0 <= used.y1 <= height + 0.01, f"{used} is cut off at {height} inches"


@pytest.mark.parametrize(("name", "said"), [
    ("two sockets", "Two programs. curl, the client, has a socket; webserver1.py, the server, has "
     "one too, and a listening socket with port 8888. Between the two sockets is the connection: "
     "one row of bytes each way."),
    ("URL", "The parts of http://localhost:8888/hello: scheme http, the language; host localhost, "
     "the machine; port 8888, the program; path /hello, the page."),
    ("messages", "The request, line by line: request line GET /hello HTTP/1.1\\r\\n; headers "
     "Host: localhost\\r\\n; headers Accept: */*\\r\\n; empty line \\r\\n. The response, line by "
     "line: status line HTTP/1.1 200 OK\\r\\n; headers Content-Type: text/plain\\r\\n; empty line "
     "\\r\\n; body Hello!\\n."),
    ("glue", "On the left, a line from each of two servers, ours, wsgiref, to each of three "
     "applications, Flask, Django, Pyramid: 6 pieces of work. On the right, one line from each of "
     "them to WSGI: 5 pieces of work."),
    ("lanes", "From top to bottom, server to application: application(environ, start_response); "
     "application to server: start_response(status, headers)."),
])
def test_it_says_in_words_what_it_shows(name, said):
    data, about = DRAWINGS[name]()._repr_mimebundle_()
    assert data["text/plain"] == said
    assert about == {"image/png": {"alt": said}}


def test_both_programs_have_a_socket_and_the_server_one_more():
    written = texts(DRAWINGS["two sockets"]())
    assert written.count("a socket") == 2
    assert "listening socket, port 8888" in written


def test_url_is_there_whole_with_what_its_parts_pick():
    written = texts(DRAWINGS["URL"]())
    assert "http://localhost:8888/hello" in written
    assert [text for text in written if text.startswith("the ")] == [
        "the language", "the machine", "the program", "the page"]


def test_each_line_of_a_message_is_there_once_with_the_name_of_its_part():
    written = texts(DRAWINGS["messages"]())
    assert [text for text in written if "\\n" in text] == [
        "GET /hello HTTP/1.1\\r\\n", "Host: localhost\\r\\n", "Accept: */*\\r\\n", "\\r\\n",
        "HTTP/1.1 200 OK\\r\\n", "Content-Type: text/plain\\r\\n", "\\r\\n", "Hello!\\n"]
    for part, times in {"request line": 1, "status line": 1, "headers": 2, "empty line": 2,
                        "body": 1}.items():
        assert written.count(part) == times, part


def test_a_line_for_each_piece_of_work():
    drawing = DRAWINGS["glue"]()
    assert len(drawn(drawing, "work")) == 2 * 3 + 2 + 3
    assert {"2 × 3 = 6 pieces of work", "2 + 3 = 5 pieces of work"} <= set(texts(drawing))


def test_an_arrow_for_each_step_in_its_direction():
    drawing = DRAWINGS["lanes"]()
    ends = [(arrow.xyann[0], arrow.xy[0]) for arrow in drawn(drawing, "arrow")]
    assert [start < stop for start, stop in ends] == [True, False]
