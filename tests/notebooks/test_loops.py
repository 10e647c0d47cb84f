"""The loop of one's own: what three clients get of it, and what is said of the server."""

import pytest

import lab
from lab.loops import GOT, fate, try_loop, with_loop
from tests.helpers.scripts import linux_only

ACCEPT = "client_connection, client_address = listen_socket.accept()\n"
CHILD = "if os.fork() == 0:\n    listen_socket.close()\n    handle_request(client_connection)\n"
EXIT, CLOSE = "    os._exit(0)\n", "client_connection.close()\n"


def test_loop_of_3c_gives_each_its_answer_and_the_end(capsys):
    tried = try_loop(ACCEPT + CHILD + EXIT + CLOSE)
    assert (tried.second, tried.third) == (GOT[0], GOT[0])
    assert tried.server.startswith("runs as 2 processes")
    assert "it said" not in capsys.readouterr().out


@pytest.mark.parametrize(("body", "got"), [
    (ACCEPT + CHILD + EXIT, GOT[1]),
    (ACCEPT + CLOSE + CHILD + EXIT, GOT[2]),
    (ACCEPT + CHILD + EXIT + "client_connection.shutdown(socket.SHUT_RDWR)", GOT[2]),
    (ACCEPT + CHILD + EXIT + "os.wait()", GOT[3])])
def test_loops_that_fail_do_so_in_their_own_way(body, got):
    assert try_loop(body).third == got


@linux_only
def test_children_that_go_round_the_loop_are_seen_in_accept():
    tried = try_loop(ACCEPT + CHILD.replace("listen_socket.close()", "pass"))
    assert tried.server == "runs as 4 processes: 3 asleep in accept, 1 asleep in recv"


def test_what_the_server_complains_of_is_told_with_how_often(capsys):
    try_loop(ACCEPT + CLOSE + CHILD + EXIT)
    assert "it said, 3 x: The client left early: [Errno 9]" in capsys.readouterr().out


def test_loop_that_is_no_python_is_told_in_a_line(capsys):
    assert try_loop("while (").server == "does not start"
    said = capsys.readouterr().out
    assert said.startswith("The server does not start: ")
    assert said.count("\n") == 1


def test_server_that_dies_of_its_loop_is_said_to_have_ended():
    with lab.start(with_loop(ACCEPT + "listen_socket.close()"), DELAY=0) as server:
        lab.ask(server.port, timeout=1)
        server.wait_until_dead()
        assert fate(server) == "has ended, with exit status 1"
