"""Claim 4.10: many processes wait for one listening socket, and a client comes. Who wakes up?"""

import select
import sys
import textwrap

import pytest

import lab
from lab.past_fork import who_wakes
from tests.helpers.scripts import linux_only

pytestmark = [linux_only, pytest.mark.claim("4.10")]

MANY_IN_EPOLL = textwrap.dedent("""
    import os, select, socket, sys

    listen_socket = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    listen_socket.setblocking(False)
    for _ in range(4):
        if os.fork() == 0:
            break
    else:
        print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
        os.wait()
    epoll = select.epoll()
    epoll.register(listen_socket, select.EPOLLIN | int(os.environ["HOW"]))
    while True:
        epoll.poll()
        try:
            client_connection, client_address = listen_socket.accept()
        except BlockingIOError:
            continue
        client_connection.setblocking(True)
        client_connection.recv(65536)
        client_connection.close()
""")


def wake_ups(server, call, clients=20):
    """How many wake up for all these clients together."""
    asleep = lab.eventually(lambda: [lab.sleeps_in(child.pid)
                                     for child in lab.children(server.pid)] == [call] * 4)
    assert asleep, f"Of four workers not all sleep in {call}."
    return sum(map(len, who_wakes(server, clients)))


@pytest.fixture
def start_in_epoll(servers):
    """Four workers, each with an epoll of its own; how is 0, or EPOLLEXCLUSIVE."""
    def start_in_epoll(how):
        return servers.enter_context(
            lab.start([sys.executable, "-c", MANY_IN_EPOLL], honest=True, HOW=how))
    return start_in_epoll


def test_client_wakes_one_of_those_who_sleep_in_accept(start_stage):
    woke = wake_ups(start_stage("3j", DELAY=0), "accept")
    assert 20 <= woke <= 30, f"20 clients woke {woke} workers."


def test_client_wakes_all_who_sleep_in_epoll_wait(start_in_epoll):
    woke = wake_ups(start_in_epoll(0), "epoll_wait")
    assert woke >= 50, f"20 clients woke {woke} workers of four."


def test_client_wakes_one_where_they_wait_exclusively(start_in_epoll):
    woke = wake_ups(start_in_epoll(select.EPOLLEXCLUSIVE), "epoll_wait")
    assert 20 <= woke <= 30, f"20 clients woke {woke} workers."
