"""Claims 3.8 to 3.10, 4.1: a process for each connection, and the descriptors that they share."""

import os
import signal

import pytest

import lab
from lab.held import SilentClient
from lab.paused import what_comes
from lab.restart import first_words
from tests.helpers.scripts import linux_only, output_of, seconds


@pytest.mark.claim("3.8")
def test_fork_is_called_once_and_returns_twice():
    program = """
        import os
        pid = os.fork()
        if pid == 0:
            os.write(1, f"child {os.getpid()} got 0, its parent is {os.getppid()}\\n".encode())
            os._exit(0)
        os.waitpid(pid, 0)
        os.write(1, f"parent {os.getpid()} got {pid}\\n".encode())
    """
    child, parent = [line.split() for line in output_of(program).splitlines()]
    assert child[0] == "child"
    assert parent[0] == "parent"
    assert child[1] == parent[3], "the parent got the child's PID"
    assert child[-1] == parent[1]


@pytest.mark.claim("3.8")
def test_each_connection_has_a_process_of_its_own(start_stage):
    server = start_stage("3c")
    with lab.connect(server.port), lab.connect(server.port), lab.connect(server.port):
        assert lab.eventually(lambda: len(lab.children(server.pid)) == 3)
        assert all(child.ppid == server.pid for child in lab.children(server.pid))


@linux_only
@pytest.mark.claim("3.9")
def test_after_fork_both_hold_the_same_descriptors():
    program = """
        import os, socket
        listener, (left, right), (say, hear) = socket.socket(), socket.socketpair(), os.pipe()
        def table():
            return {fd: os.readlink(f"/proc/self/fd/{fd}")
                    for fd in (listener.fileno(), left.fileno(), right.fileno())}
        if os.fork() == 0:
            os.write(hear, repr(table()).encode())
            os._exit(0)
        os.wait()
        print(table() == eval(os.read(say, 1000)), len(set(table().values())))
    """
    assert output_of(program) == "True 3"


@linux_only
@pytest.mark.claim("3.9")
def test_each_closes_what_it_does_not_need(start_stage):
    server = start_stage("3c")
    with lab.connect(server.port) as client:
        [child] = lab.eventually(lambda: lab.children(server.pid))
        connection = lab.eventually(lambda: next(
            (end.inode for end in lab.connections(server.port)
             if end.foreign == client.getsockname()), 0))
        [listener] = lab.listeners(server.port)
        family = [server.pid, child.pid]
        assert lab.eventually(lambda: [pid for pid, _ in lab.holders(connection, family)]
                              == [child.pid]), "the connection is the child's alone"
        assert lab.eventually(lambda: [pid for pid, _ in lab.holders(listener.inode, family)]
                              == [server.pid]), "the listening socket is the parent's alone"
        client.sendall(lab.clients.REQUEST)
        assert lab.read_until(client, b"World!\n").endswith(b"World!\n")


@pytest.mark.claim("3.9")
def test_a_socket_ends_when_the_last_copy_closes():
    program = """
        import os, socket
        left, right = socket.socketpair()
        gate, gate_keeper = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(gate_keeper)
            right.close()
            os.read(gate, 1)
            os._exit(0)  # closes the child's copy of left
        left.close()
        right.settimeout(0.2)
        try:
            print(right.recv(1))
        except TimeoutError:
            print("not ended: the child has a copy,", end=" ")
        os.close(gate_keeper)
        right.settimeout(10)
        print("ended" if right.recv(1) == b"" else "not ended")
        os.waitpid(pid, 0)
    """
    assert output_of(program) == "not ended: the child has a copy, ended"


@pytest.mark.parametrize(("asks_first", "heard"), [(False, "the end"), (True, "a reset")])
@linux_only
@pytest.mark.claim("3.9")
def test_a_killed_child_ends_its_connection_by_a_reset_where_bytes_lie_unread(
        start_stage, asks_first, heard):
    with SilentClient(start_stage("3c")) as client:
        os.kill(client.child, signal.SIGSTOP)
        assert lab.eventually(lambda: lab.process(client.child).state == "stopped")
        if asks_first:
            client.connection.sendall(lab.clients.REQUEST)
        os.kill(client.child, signal.SIGKILL)
        assert what_comes(client.connection, within=10) == heard


@pytest.mark.claim("3.10")
def test_two_sleeping_requests_take_as_long_as_one(start_stage):
    delay = 2
    concurrent, iterative = start_stage("3c", DELAY=delay), start_stage("3b", DELAY=delay)
    assert seconds(lambda: lab.ask_at_once(concurrent.port, 2)) < 2 * delay
    assert seconds(lambda: lab.ask_at_once(iterative.port, 2)) >= 2 * delay


@pytest.mark.claim("3.10")
def test_the_answers_may_come_in_any_order(start_stage):
    server = start_stage("3c")
    clients = [lab.connect(server.port) for _ in range(4)]
    for client in reversed(clients):
        client.sendall(lab.clients.REQUEST)
        assert lab.read_until(client, b"World!\n").endswith(b"World!\n")
        client.close()
    served_by = [child.pid for child in lab.children(server.pid)]
    assert len(set(served_by)) == 4
    assert os.getpid() not in served_by


def lose_its_parent(client):
    """Kill the parent of a silent client's child, which works on."""
    os.kill(client.server.pid, signal.SIGKILL)
    client.server.wait_until_dead()


def assert_served(client):
    """The silent client asks at last, and its child still serves it."""
    client.connection.settimeout(10)
    client.connection.sendall(lab.clients.REQUEST)
    assert lab.read_until(client.connection, b"World!\n").endswith(b"World!\n")


@pytest.mark.claim("4.1")
def test_child_that_keeps_the_listening_socket_keeps_the_port_when_its_parent_is_dead():
    keeps = lab.changed("3c", "listen_socket.close()", "pass")
    with lab.start(keeps, DELAY=0) as server, SilentClient(server) as working:
        lose_its_parent(working)
        answer = lab.ask(server.port, timeout=1)
        assert answer.connected is not None, "the kernel lets clients in"
        assert answer.data == b""
        assert isinstance(answer.error, TimeoutError), "and nobody serves them"
        assert "Address already in use" in first_words("3c", server.port)
        assert_served(working)
        assert lab.eventually(lambda: not lab.listeners(server.port)), "until the child has ended"
        assert first_words("3c", server.port).startswith("Serving HTTP")


@pytest.mark.claim("4.1")
def test_child_that_closes_the_listening_socket_leaves_the_port_to_the_next_server(start_stage):
    server = start_stage("3c", DELAY=0)
    with SilentClient(server) as working:
        lose_its_parent(working)
        assert isinstance(lab.ask(server.port).error, ConnectionRefusedError)
        assert first_words("3c", server.port).startswith("Serving HTTP")
        assert_served(working)
