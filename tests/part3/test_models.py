"""Claims 3.26 to 3.28: what holds a client, what it costs, what a crash takes down."""

import os
import random
import signal
import sys
import textwrap
import time

import pytest

import lab
from tests.helpers.scripts import linux_only, needs
from tests.spec.subject import freeze


@pytest.fixture
def connect_silently(servers):
    """Connect that many clients, who say nothing; they leave when the test is over."""
    def connect_silently(server, clients):
        return [servers.enter_context(lab.connect(server.port)) for _ in range(clients)]
    return connect_silently


def has_ended(client):
    """Whether the server's side of a connection is gone; the client waits a moment to see it."""
    client.settimeout(0.1)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.claim("3.26")
def test_each_connection_has_a_thread_of_its_own_in_one_process(start_stage, connect_silently):
    server = start_stage("3i", DELAY=0)
    clients = connect_silently(server, 3)
    assert lab.eventually(lambda: lab.thread_count(server.pid) == 4)
    assert server.members() == [server.pid], "a thread is no process"
    for client in clients:
        client.close()
    assert lab.eventually(lambda: lab.thread_count(server.pid) == 1), "they end with it"


@linux_only
@pytest.mark.claim("3.26")
def test_threads_hold_each_connection_once(start_stage, connect_silently):
    server = start_stage("3i", DELAY=0)
    connect_silently(server, 3)
    assert lab.eventually(lambda: lab.thread_count(server.pid) == 4)
    ends = [end.inode for _, end in lab.socket_pairs(server.port)]
    assert len(ends) == 3
    assert all(len(lab.holders(inode, server.members())) == 1 for inode in ends)


@pytest.mark.claim("3.26")
@pytest.mark.parametrize(("model", "lost"), [("3g", 1), ("3i", 3)])
def test_crash_takes_down_all_clients_of_its_process(start_stage, connect_silently, model, lost):
    server = start_stage(model, DELAY=0)
    clients = connect_silently(server, 3)
    assert lab.eventually(
        lambda: 3 in (len(lab.children(server.pid)), lab.thread_count(server.pid) - 1))
    victim = [*lab.children(server.pid), lab.process(server.pid)][0]
    os.kill(victim.pid, signal.SIGKILL)
    assert lab.eventually(lambda: sum(map(has_ended, clients)) >= lost)
    assert sum(map(has_ended, clients)) == lost
    assert (lab.ask(server.port).status == 200) == (lost < 3), "does the server live on?"


@pytest.mark.claim("3.27")
def test_workers_are_there_before_the_first_client_and_stay_the_same(start_stage):
    server = start_stage("3j", DELAY=0)
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4)
    before = [child.pid for child in lab.children(server.pid)]
    assert all(lab.ask(server.port).status == 200 for _ in range(20))
    assert [child.pid for child in lab.children(server.pid)] == before


@linux_only
@pytest.mark.claim("3.27")
def test_all_workers_sleep_in_accept_on_one_listening_socket(start_stage):
    server = start_stage("3j", DELAY=0)
    asleep = lab.eventually(lambda: [child.pid for child in lab.children(server.pid)
                                     if lab.sleeps_in(child.pid) == "accept"][3:])
    assert asleep, f"{[lab.sleeps_in(child.pid) for child in lab.children(server.pid)]}"
    [listener] = lab.listeners(server.port)
    assert len(lab.holders(listener.inode, server.members())) == 5


@pytest.mark.claim("3.27")
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM], ids=["kill-9", "kill"])
def test_worker_that_is_killed_is_replaced(signum, start_stage):
    server = start_stage("3j", DELAY=0)
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4)
    before = {child.pid for child in lab.children(server.pid)}
    victim = min(before)
    os.kill(victim, signum)
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4
                          and victim not in {child.pid for child in lab.children(server.pid)})
    after = {child.pid for child in lab.children(server.pid)}
    assert before - after == {victim}, "the others are left alone"
    assert not lab.zombies(server.pid)
    assert f"Worker {victim} died, status {-signum}" in server.stdout
    assert lab.ask(server.port).status == 200


@pytest.mark.claim("3.27")
def test_silent_clients_as_many_as_workers_keep_all_others_out(start_stage, connect_silently):
    server = start_stage("3j", DELAY=0)
    first, *_ = connect_silently(server, 4)
    assert lab.ask(server.port, timeout=1).first_byte is None
    first.close()
    assert lab.ask(server.port).status == 200


@pytest.mark.claim("3.27")
def test_no_early_stop_leaves_a_worker_behind():
    """60 servers are told to stop at some moment of their start: no process of theirs is left."""
    for number in range(60):
        with lab.Server(lab.stage_command("3j")) as server:
            if number % 2:
                lab.eventually(lambda: "Serving" in server.stdout, 10, 0.001)  # noqa: B023
                time.sleep(random.uniform(0, 0.01))
            else:
                time.sleep(random.uniform(0, 0.2))
            server.process.send_signal(random.choice([signal.SIGINT, signal.SIGTERM]))
            server.wait_until_dead()
            assert not server.members(), f"{server.members()} outlived stop number {number + 1}."


@pytest.mark.claim("3.27")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_parent_takes_its_workers_along_where_one_has_just_died(signum, start_stage):
    server = start_stage("3j")
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4)
    for worker in lab.children(server.pid):
        os.kill(worker.pid, signal.SIGKILL)
    server.process.send_signal(signum)
    assert server.wait_until_dead() == 0
    assert not server.members()


@needs("bash")
@pytest.mark.claim("3.27")
def test_parent_that_can_have_no_more_workers_takes_those_along_that_it_has(servers):
    try:
        server = lab.Server(lab.stage_command("3j"), processes=3)  # the parent, and two
    except lab.ServerError as error:
        pytest.skip(str(error))
    servers.enter_context(server)
    assert server.wait_until_dead() == 1
    assert "BlockingIOError" in server.stderr
    assert server.members() == []


@pytest.mark.claim("3.27")
def test_all_workers_that_die_at_once_are_replaced(start_stage):
    """They end while their parent is stopped, so that one SIGCHLD stands for all of them."""
    server = start_stage("3j", DELAY=0)
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4)
    before = {child.pid for child in lab.children(server.pid)}
    freeze(server.pid)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert lab.eventually(lambda: len(lab.zombies(server.pid)) == 4)
    os.kill(server.pid, signal.SIGCONT)
    assert lab.eventually(lambda: not before & set(server.members())
                          and len(lab.children(server.pid)) == 4)
    assert lab.ask(server.port).status == 200


@pytest.mark.claim("3.28")
def test_loop_holds_a_thousand_clients_in_one_process_and_one_thread(start_stage, connect_silently):
    server = start_stage("3k")
    connect_silently(server, 1000)
    assert lab.ask(server.port).status == 200
    assert server.members() == [server.pid]
    assert lab.thread_count(server.pid) == 1
    assert lab.descriptor_count(server.pid) > 1000


@linux_only
@pytest.mark.claim("3.28")
def test_silent_client_costs_fork_a_process_and_the_loop_some_hundred_bytes(
        start_stage, connect_silently):
    def bytes_for_each(stage, clients):
        server = start_stage(stage, DELAY=0)
        lab.ask(server.port)
        before = lab.memory([server.pid])
        connect_silently(server, clients)
        lab.ask(server.port)  # who is answered came after all of them
        return (lab.memory(server.members()) - before) / clients

    assert bytes_for_each("3k", 2000) < 1024
    assert bytes_for_each("3i", 100) > 4096, "a thread has a stack"
    assert bytes_for_each("3g", 100) > 50 * 1024, "a process has that, and more"


GONE = """
    import socket, sys
    sys.path.insert(0, "part3")
    import webserver3k

    function, calls = socket.socket.{name}, []
    def once_in_vain(self, *arguments):
        calls.append(1)
        if len(calls) == {number}:
            {lose}  # what woke the selector is gone
            print("in vain", flush=True)
        return function(self, *arguments)
    socket.socket.{name} = once_in_vain
    webserver3k.main()
"""


@pytest.mark.claim("3.28")
@pytest.mark.parametrize(("name", "number", "lose"), [
    pytest.param("accept", 2, "function(self)[0].close()", id="the-second-client-is-gone"),
    pytest.param("recv", 1, "function(self, 65536)", id="its-data-are-gone"),
])
def test_loop_that_was_woken_in_vain_waits_for_nobody(name, number, lose, servers):
    """The kernel may say "ready" of a socket, and there is nothing: accept(2), select(2)."""
    program = textwrap.dedent(GONE).format(name=name, number=number, lose=lose)
    server = servers.enter_context(lab.start([sys.executable, "-c", program]))
    with lab.connect(server.port, timeout=3) as first, lab.connect(server.port) as second:
        second.sendall(lab.clients.REQUEST)
        assert lab.eventually(lambda: "in vain" in server.stdout)
        first.sendall(lab.clients.REQUEST)
        assert lab.read_until(first, b"World!\n").endswith(b"World!\n")


@pytest.mark.claim("3.28")
def test_loop_without_a_side_for_writing_loses_the_rest_of_a_long_answer(servers):
    """What the kernel has no room for, a socket that does not block refuses."""
    command = lab.changed("3k", r'Hello, World!\n"', r'Hello, World!\n" * 1_000_000')
    server = servers.enter_context(lab.start(command, honest=True))
    with lab.connect(server.port) as client:
        client.sendall(lab.clients.REQUEST)
        assert lab.eventually(lambda: "The client left early: [Errno" in server.stdout)
        size = 0
        while block := client.recv(1 << 20):
            size += len(block)
    assert 0 < size < 14_000_000
    assert lab.ask(server.port, until=b"World!").status == 200, "and it lives on"
