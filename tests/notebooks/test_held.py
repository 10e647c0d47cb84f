"""The client that keeps quiet: what it hears, and what is drawn of it."""

from contextlib import ExitStack

import pytest

import lab
from lab import held, pictures
from tests.helpers.scripts import linux_only


@pytest.fixture
def serve():
    """serve("3c") starts a stage, which is stopped after the test."""
    with ExitStack() as stack:
        yield lambda stage, **options: stack.enter_context(
            lab.start_stage(stage, DELAY=0, **options))


@pytest.fixture
def silent(serve):
    """silent("3c") is a client that says nothing to a server of that stage."""
    with ExitStack() as stack:
        yield lambda stage: stack.enter_context(held.SilentClient(serve(stage)))


@pytest.mark.parametrize(("stage", "hears"), [("3c", "the end"), ("3d", "nothing")])
def test_silent_client_hears_what_its_server_sends(silent, stage, hears):
    client = silent(stage)
    assert client.hears() == "nothing", "nobody has asked yet"
    assert client.asks().endswith(b"World!\n")
    assert client.hears() == hears
    client.server.stop()
    assert client.hears(10) == "the end"


@linux_only
@pytest.mark.parametrize(("stage", "holders"), [("3c", [1, 0]), ("3d", [2, 1])])
def test_connection_of_a_silent_client_keeps_its_name_when_its_child_has_ended(
        silent, stage, holders):
    client = silent(stage)
    [inode] = [inode for inode, name in client.tables()[1].items() if name == "connection"]
    family = [client.server.pid, client.child]
    before = len(lab.holders(inode, family))
    client.asks()
    assert [before, len(lab.holders(inode, family))] == holders
    assert inode in client.tables()[1]
    assert isinstance(held.draw_held(client, "t"), pictures.Picture)


def test_where_the_system_does_not_show_it_the_reason_stands_instead(silent, monkeypatch):
    def blind(pid):
        raise lab.CannotSee("not here")
    monkeypatch.setattr(held, "descriptors", blind)
    assert repr(held.draw_held(silent("3c"), "t")) == "not here"


def test_descriptors_are_counted_by_clients_until_the_server_is_gone(serve):
    points = held.count_by_clients(serve("3d", files=32), 100, every=10)
    assert points[0][0] == 0
    assert [one[0] for one in points[:-1]] == list(range(0, points[-1][0], 10))
    assert points[-1][1] == 31, "the next client took the last one, and the server died"
    clients, last = held.count_by_clients(serve("3c", files=32), 50)[-1]
    assert clients == 50
    assert last < 10
