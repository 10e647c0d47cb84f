"""Claim 4.2: TIME_WAIT, who has it, and a server that is started again on its port."""

import pytest

import lab
from lab.restart import first_words
from tests.helpers.scripts import linux_only

pytestmark = pytest.mark.claim("4.2")

OPTION = ("    listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)"
          "  # can restart at once\n")


def ended(servers, command, until=None, **environment):
    """A port on which such a server answered one client and was then stopped.

    until   the client closes when it has read this, and the server after it
    """
    with servers.enter_context(lab.start(command, **environment)) as server:
        assert lab.ask(server.port, until=until).status == 200
    return server.port


def waits(port):
    """On which side of the connections with this port TIME_WAIT is, as a list of words."""
    return ["server" if end.local[1] == port else "client" for end in lab.connections(port)
            if end.state == "TIME_WAIT"]


@linux_only
def test_who_closes_first_has_time_wait(servers):
    assert waits(ended(servers, lab.stage_command("3a"))) == ["server"]
    assert waits(ended(servers, lab.stage_command("3b"), b"World!", DELAY=30)) == ["client"]


@linux_only
def test_time_wait_belongs_to_no_process(servers):
    port = ended(servers, lab.stage_command("3a"))
    assert [end.inode for end in lab.connections(port)] == [0]


@pytest.mark.parametrize("stage", ["1", "3a", "3b"])
def test_server_that_sets_reuseaddr_starts_again_at_once(stage, servers):
    port = ended(servers, lab.stage_command(stage), DELAY=0)
    assert first_words(stage, port) == f"Serving HTTP on port {port} ..."


def test_without_reuseaddr_its_port_is_taken(servers):
    without = lab.changed("3a", OPTION, "")
    said = first_words(without, ended(servers, without))
    assert "Address already in use" in said
    assert "Serving" not in said


def test_without_reuseaddr_it_starts_again_if_its_clients_were_the_first_to_close(servers):
    without = lab.changed("3b", OPTION, "")
    assert "Serving" in first_words(without, ended(servers, without, b"World!", DELAY=30))


@linux_only
def test_the_option_comes_too_late_for_a_connection_that_was_made_without_it(servers):
    port = ended(servers, lab.changed("3a", OPTION, ""))
    assert "Address already in use" in first_words("3a", port)


def test_two_servers_cannot_listen_on_one_port_for_all_that(start_stage):
    server = start_stage("3a")
    assert "Address already in use" in first_words("3a", server.port)
