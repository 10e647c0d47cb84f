"""The server that stands still at each of its steps, and a new one on the port of an old one."""

from contextlib import closing

import pytest

import lab
from lab import paused, pictures
from lab.restart import first_words
from tests.helpers.scripts import linux_only

STEPS = """
client_connection, client_address = listen_socket.accept(); pause()
pid = os.fork(); pause()
if pid == 0:
    client_connection.sendall(b"Hello")
    os._exit(0)
client_connection.close(); pause()
"""


@pytest.fixture
def film():
    """A Paused that has accepted its client."""
    film = paused.Paused(STEPS)
    yield film
    film.close()


def test_each_goes_on_when_it_is_told_and_not_before(film):
    assert paused.what_comes(film.client, 0.2) == "nothing"
    film.go_on("parent")
    assert paused.what_comes(film.client, 0.2) == "nothing"
    film.go_on("child")
    assert paused.what_comes(film.client, 10) == b"Hello"
    assert paused.what_comes(film.client, 0.2) == "nothing", "the parent has its copy"
    film.go_on("parent")
    assert paused.what_comes(film.client, 10) == "the end"


def test_step_whose_cell_is_run_again_stays_where_it_is(film):
    film.go_on("child", to=1)
    film.go_on("parent", to=2)
    film.go_on("parent", to=2)
    assert paused.what_comes(film.client, 0.2) == "nothing", "the parent has not closed its copy"
    film.go_on("child", to=3)
    assert paused.what_comes(film.client, 10) == b"Hello"


@pytest.mark.parametrize("to", [3, 1])
def test_step_out_of_its_order_is_told_in_a_sentence(film, to):
    film.go_on("parent", to=2)
    film.go_on("child", to=3)
    film.go_on("parent", to=4)
    with pytest.raises(paused.StandsElsewhere, match=f"at step 4, and this is step {to}") as raised:
        film.go_on("child", to=to)
    assert raised.value._render_traceback_() == [str(raised.value)]


def test_step_after_the_end_is_told_in_a_sentence(film):
    film.close()
    with pytest.raises(paused.StandsElsewhere, match="was stopped. Run the cell that starts it"):
        film.go_on("parent", to=2)


@linux_only
def test_each_step_can_be_drawn(film):
    pictures_of_steps = [film.draw("after accept")]
    film.go_on("parent")
    pictures_of_steps.append(film.draw("after fork"))
    film.go_on("child")
    pictures_of_steps.append(film.draw("after the child's end"))
    held = [[text.get_text() for text in picture.axes[0].texts if "holder" in text.get_text()]
            for picture in pictures_of_steps]
    assert held == [["1 holder"] * 2, ["2 holders"] * 2, ["1 holder"] * 2]
    assert all(isinstance(picture, pictures.Picture) for picture in pictures_of_steps)


def test_where_the_system_does_not_show_it_the_reason_stands_instead(monkeypatch):
    def blind(*arguments):
        raise lab.CannotSee("not here")
    monkeypatch.setattr(paused, "socket_pairs", blind)
    monkeypatch.setattr(paused, "descriptors", blind)
    with closing(paused.Paused(STEPS)) as film:
        assert repr(film.draw("t")) == "not here"


def test_new_server_says_whether_it_has_the_port():
    with lab.start_stage("3c") as server:
        assert "Address already in use" in first_words("3c", server.port)
    assert first_words("3c", server.port) == f"Serving HTTP on port {server.port} ..."
    assert not lab.listeners(server.port), "it was only to say it"
