"""The calls of a client and a server, side by side: what strace says, and what is drawn of it."""

import shutil

import pytest
from matplotlib.text import Text

import lab
from lab import lanes, pictures
from tests.helpers.scripts import needs

CLIENT = r"""
import os, socket
with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as connection:
    connection.sendall(b"GET /hello HTTP/1.1\r\n\r\n")
    while connection.recv(65536):
        pass
"""
SERVERS_LINES = r"""
10.000001 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3 <0.000010>
10.000100 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0 <0.000008>
10.000200 bind(3, {sa_family=AF_INET, sin_port=htons(8888)}, 16) = 0 <0.000008>
10.000300 listen(3, 5) = 0 <0.000008>
10.000400 accept4(3, {sa_family=AF_INET, sin_port=htons(5)}, [16], SOCK_CLOEXEC) = 4 <0.500000>
10.600000 recvfrom(4, "GET /he) = 9 <1>\r\n"..., 65536, 0, NULL, NULL) = 59 <0.000011>
10.700000 sendto(4, "HTTP/1.1 200 OK\r\n\r\n"..., 33, 0, NULL, 0) = 33 <0.000060>
10.750000 close(7)             = 0 <0.000020>
10.800000 close(4)             = 0 <0.000020>
10.900000 accept4(3, """.splitlines()
CLIENTS_LINES = r"""
10.400000 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3 <0.000010>
10.450000 connect(3, {sa_family=AF_INET, sin_port=htons(8888)}, 16) = 0 <0.000080>
10.460000 sendto(3, "GET /hello HTTP/1.1\r"..., 59, 0, NULL, 0) = 59 <0.000050>
10.470000 recvfrom(3, "HTTP/1.1 200 OK\r\n\r\n"..., 65536, 0, NULL, NULL) = 33 <0.240000>
10.720000 recvfrom(3, "", 65536, 0, NULL, NULL) = 0 <0.100000>
10.850000 close(3) = 0 <0.000010>""".splitlines()


def texts(picture):
    return [text.get_text() for text in picture.findobj(Text) if text.get_text()]


def drawn(picture, kind):
    return picture.findobj(lambda artist: artist.get_gid() == kind)


@pytest.fixture(scope="module")
def sides():
    return lanes.calls(CLIENTS_LINES), lanes.calls(SERVERS_LINES)


def test_each_call_is_told_in_a_few_words(sides):
    client, server = sides
    assert [call.text for call in server] == [
        "socket() = 3", "setsockopt(3, SO_REUSEADDR)", "bind(3, port 8888)", "listen(3, 5)",
        "accept(3) = 4", "recv(4) = 59 bytes", "send(4) = 33 bytes", "close(4)", "accept(3)"]
    assert [call.text for call in client] == [
        "socket() = 3", "connect(3, port 8888)", "send(3) = 59 bytes", "recv(3) = 33 bytes",
        "recv(3) = 0 bytes", "close(3)"]
    assert server[-1].end is None


def test_what_lets_a_call_return_is_found_on_the_other_side(sides):
    assert [(cause.text, effect.text) for cause, effect in lanes.causes(*sides)] == [
        ("connect(3, port 8888)", "accept(3) = 4"), ("send(3) = 59 bytes", "recv(4) = 59 bytes"),
        ("send(4) = 33 bytes", "recv(3) = 33 bytes"), ("close(4)", "recv(3) = 0 bytes")]


def test_picture_has_a_box_for_each_call_and_none_lies_on_another(sides):
    picture = lanes.draw(*sides)
    assert len(drawn(picture, "call")) == 15
    assert len(drawn(picture, "arrow")) == 4
    assert texts(picture).count("waits") == 4, "accept twice, and the client's recv twice"
    places, depth = lanes.layout([*sides[0], *sides[1]])
    for lane in sides:
        edges = [edge for call in lane for edge in places[call]]
        assert edges == sorted(edges)
        assert edges[-1] <= depth


def test_the_same_is_said_in_words(sides):
    words = lanes.draw(*sides).alt
    assert words.count("client: ") == 6
    assert words.count("server: ") == 9
    assert "accept(3) = 4, which returns by the client's connect(3, port 8888);" in words
    assert "recv(3) = 0 bytes, which returns by the server's close(4);" in words


def test_arrows_never_point_back_in_time(sides):
    for arrow in drawn(lanes.draw(*sides), "arrow"):
        assert arrow.xyann[1] <= arrow.xy[1]


def test_nothing_leaves_the_picture(sides):
    picture = lanes.draw(*sides, title="A title")
    width, height = picture.get_size_inches()
    used = picture.get_tightbbox()
    assert -0.01 <= used.x0 <= used.x1 <= width + 0.01
    assert -0.01 <= used.y0 <= used.y1 <= height + 0.01


@needs("strace")
def test_real_client_and_server_are_drawn_from_their_first_call_to_their_last():
    picture = lanes.draw_calls(lab.stage_command("3a"), CLIENT)
    assert isinstance(picture, pictures.Picture), picture
    written = " ".join(texts(picture))
    for words in ("listen(3, 5)", "accept(3) = 4", "recv(4) = 23 bytes", "send(4) = 33 bytes",
                  "connect(3", "recv(3) = 33 bytes", "recv(3) = 0 bytes"):
        assert words in written
    assert len(drawn(picture, "arrow")) == 4


@needs("strace")
def test_lines_of_a_real_server_are_printed_from_its_socket_to_the_second_accept(capsys):
    lanes.tell_calls(lab.stage_command("3a"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("(")[0] for line in lines] == [
        "socket", "setsockopt", "bind", "listen", "accept4", "recvfrom", "sendto", "close",
        "accept4"]


def test_without_strace_a_sentence_stands_there(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    lanes.tell_calls(lab.stage_command("3a"))
    assert "no strace here" in capsys.readouterr().out
    assert "no strace here" in repr(lanes.draw_calls(lab.stage_command("3a"), CLIENT))


def test_strace_that_is_not_allowed_to_look_is_as_good_as_none(monkeypatch, folder):
    program = folder / "strace"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(lab.CannotSee, match="may not look"):
        lanes.need_strace()
