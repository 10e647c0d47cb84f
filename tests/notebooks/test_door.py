"""A crowd at the door of a busy server: who is let in, who is not, and what is drawn of it."""

import socket
from contextlib import ExitStack

import pytest

import lab
from lab import door, pictures
from lab.clients import REQUEST
from tests.helpers.scripts import linux_only


@pytest.fixture
def busy():
    """busy("3a") is (server, silent client); both are gone after the test."""
    with ExitStack() as stack:
        def start(stage):
            server, silent = door.busy(stage)
            stack.enter_context(server)
            stack.enter_context(silent)
            return server, silent
        yield start


@linux_only
@pytest.mark.parametrize(("stage", "places"), [("1", 2), ("3a", 6)])
def test_as_many_get_in_as_there_are_places(busy, stage, places):
    server, _ = busy(stage)
    with door.Crowd(server.port, 10) as crowd:
        assert crowd.connected() == places
        assert crowd.outside() == list(range(places, 10))
        assert crowd.fate() == "no answer"
        assert lab.queue(server.pid, server.port) == (1, places, 10 - places)


@linux_only
def test_all_are_served_when_there_is_room_and_the_late_ones_have_knocked_again(busy):
    server, silent = busy("3a")
    with door.Crowd(server.port, 8) as crowd:
        silent.sendall(REQUEST)
        waited = crowd.ask()
        assert max(waited[:6]) < 0.5
        assert min(waited[6:]) > 0.9
        assert lab.eventually(lambda: server.stdout.count("GET") == 9)


def test_where_nobody_listens_all_are_refused():
    with door.Crowd(lab.free_port(), 3) as crowd:
        assert (crowd.connected(), crowd.outside(), crowd.fate()) == (0, [], "refused")


def test_where_there_is_room_all_get_in():
    with (socket.create_server(("127.0.0.1", 0), backlog=50) as listening,
          door.Crowd(listening.getsockname()[1], 3) as crowd):
        assert crowd.fate() == "all got in"


def test_who_is_never_let_in_is_said(busy):
    server, _ = busy("3a")
    with door.Crowd(server.port, 20) as crowd, pytest.raises(TimeoutError, match="not let in"):
        crowd.ask(within=0.2)


@linux_only
def test_pictures_of_a_busy_server(busy):
    server, silent = busy("3a")
    for picture in (door.draw_queue(server, 5, "t"), door.draw_ends(silent, "t"),
                    door.draw_table(server, "t")):
        assert isinstance(picture, pictures.Picture)


def test_where_the_system_does_not_show_it_the_reason_stands_instead(busy, monkeypatch):
    def blind(*_):
        raise lab.CannotSee("not here")
    for name in ("queue", "socket_pairs", "descriptors"):
        monkeypatch.setattr(door, name, blind)
    server, silent = busy("3a")
    for said in (door.draw_queue(server, 5, "t"), door.draw_ends(silent, "t"),
                 door.draw_table(server, "t")):
        assert repr(said) == "not here"
