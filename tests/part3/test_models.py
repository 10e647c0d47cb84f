"""Claims 3.26 to 3.28: what holds a client, what it costs, what a crash takes down."""

import os
import signal

import pytest

import lab
from scripts import linux_only


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
    server = start_stage("3i")
    clients = connect_silently(server, 3)
    assert lab.eventually(lambda: lab.thread_count(server.pid) == 4)
    assert server.members() == [server.pid], "a thread is no process"
    for client in clients:
        client.close()
    assert lab.eventually(lambda: lab.thread_count(server.pid) == 1), "they end with it"


@linux_only
@pytest.mark.claim("3.26")
def test_threads_hold_each_connection_once(start_stage, connect_silently):
    server = start_stage("3i")
    connect_silently(server, 3)
    assert lab.eventually(lambda: lab.thread_count(server.pid) == 4)
    ends = [end.inode for _, end in lab.socket_pairs(server.port)]
    assert len(ends) == 3
    assert all(len(lab.holders(inode, server.members())) == 1 for inode in ends)


@pytest.mark.claim("3.26")
@pytest.mark.parametrize(("model", "lost"), [("3g", 1), ("3i", 3)])
def test_crash_takes_down_all_clients_of_its_process(start_stage, connect_silently, model, lost):
    server = start_stage(model)
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
    server = start_stage("3j")
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4)
    before = [child.pid for child in lab.children(server.pid)]
    assert all(lab.ask(server.port).status == 200 for _ in range(20))
    assert [child.pid for child in lab.children(server.pid)] == before


@linux_only
@pytest.mark.claim("3.27")
def test_all_workers_sleep_in_accept_on_one_listening_socket(start_stage):
    server = start_stage("3j")
    asleep = lab.eventually(lambda: [child.pid for child in lab.children(server.pid)
                                     if lab.sleeps_in(child.pid) == "accept"][3:])
    assert asleep, f"{[lab.sleeps_in(child.pid) for child in lab.children(server.pid)]}"
    [listener] = lab.listeners(server.port)
    assert len(lab.holders(listener.inode, server.members())) == 5


@pytest.mark.claim("3.27")
def test_worker_that_is_killed_is_replaced(start_stage):
    server = start_stage("3j")
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4)
    before = {child.pid for child in lab.children(server.pid)}
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    assert lab.eventually(lambda: len(lab.children(server.pid)) == 4
                          and victim not in {child.pid for child in lab.children(server.pid)})
    after = {child.pid for child in lab.children(server.pid)}
    assert before - after == {victim}, "the others are left alone"
    assert not lab.zombies(server.pid)
    assert f"Worker {victim} died, status -9" in server.stdout
    assert lab.ask(server.port).status == 200


@pytest.mark.claim("3.27")
def test_silent_clients_as_many_as_workers_keep_all_others_out(start_stage, connect_silently):
    server = start_stage("3j")
    first, *_ = connect_silently(server, 4)
    assert lab.ask(server.port, timeout=1).first_byte is None
    first.close()
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
        server = start_stage(stage)
        lab.ask(server.port)
        before = lab.memory([server.pid])
        connect_silently(server, clients)
        lab.ask(server.port)  # who is answered came after all of them
        return (lab.memory(server.members()) - before) / clients

    assert bytes_for_each("3k", 2000) < 1024
    assert bytes_for_each("3i", 100) > 4096, "a thread has a stack"
    assert bytes_for_each("3g", 100) > 50 * 1024, "a process has that, and more"
