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


def test_loop_that_is_no_python_is_told_in_a_line_and_where(capsys):
    assert try_loop("\npass\nwhile (").server == "does not start"
    said = capsys.readouterr().out
    assert said.startswith("The server does not start: ")
    assert said.endswith("in line 3.\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("status", [0, 3])
def test_server_that_ends_before_a_client_has_come_is_said_to_have_ended(status, capsys):
    assert try_loop(f"os._exit({status})").server == f"has ended, with exit status {status}"
    assert "client 3 asks, and gets the end, and no answer" in capsys.readouterr().out


def test_name_that_is_misspelt_is_told(capsys):
    assert "has ended, with exit status 1" in try_loop(ACCEPT + "handle_reqest(1)").server
    assert "it said, 1 x: NameError: name 'handle_reqest'" in capsys.readouterr().out


def test_what_is_printed_in_the_loop_is_told(capsys):
    try_loop(ACCEPT + "print('round the loop')\n" + CHILD + EXIT + CLOSE)
    said = capsys.readouterr().out
    assert "it said, 3 x: round the loop" in said
    assert "GET" not in said


@linux_only
def test_children_that_their_parent_has_left_are_told():
    tried = try_loop(ACCEPT + CHILD + EXIT + "os._exit(1)")
    assert tried.server == ("has ended, with exit status 1; it has left 1 process: "
                            "1 asleep in recv")


@pytest.mark.timeout(60)
def test_loop_that_forks_for_nobody_does_not_take_the_machine_with_it(capsys):
    try_loop("if os.fork() == 0:\n    time.sleep(600)")
    assert "OSError: It has forked 60 times" in capsys.readouterr().out


def test_server_that_dies_of_its_loop_is_said_to_have_ended():
    with lab.start(with_loop(ACCEPT + "listen_socket.close()"), DELAY=0) as server:
        lab.ask(server.port, timeout=1)
        server.wait_until_dead()
        assert fate(server) == "has ended, with exit status 1"
