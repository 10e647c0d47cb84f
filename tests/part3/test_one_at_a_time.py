"""Claims 3.1 to 3.7: the iterative server; connections, processes, descriptors, the queue."""

import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

import lab
from tests.helpers.scripts import linux_only, needs, output_of, seconds
from tests.spec.subject import is_connected


@pytest.mark.claim("3.1")
def test_the_others_queue_while_one_is_served(start_stage):
    server = start_stage("3a")
    with lab.connect(server.port) as silent:
        waiting = [lab.connect(server.port) for _ in range(3)]
        for client in waiting:
            client.sendall(lab.clients.REQUEST)
        assert lab.eventually(lambda: lab.listeners(server.port)[0].waiting == 3)
        assert "GET" not in server.stdout
        silent.sendall(lab.clients.REQUEST)
        for client in waiting:
            assert lab.read_until(client, b"World!\n").endswith(b"World!\n")
            client.close()


@pytest.mark.claim("3.2")
def test_first_client_has_its_body_at_once_and_its_end_after_the_sleep(start_stage):
    answer = lab.ask(start_stage("3b", DELAY=1).port)
    assert answer.body == b"Hello, World!\n"
    assert answer.first_byte < 1 <= answer.end


@pytest.mark.claim("3.2")
def test_second_client_is_connected_but_waits_while_the_first_is_asleep(start_stage):
    server = start_stage("3b", DELAY=2)
    lab.ask(server.port, until=b"World!")  # the server falls asleep
    second = lab.ask(server.port, until=b"World!")
    assert second.connected < 1 <= second.first_byte


@pytest.mark.claim("3.2")
def test_sleeps_a_minute_unless_told_otherwise(servers):
    """It runs with a sleep that says for how long it was called, and returns at once."""
    tells = ("import runpy, sys, time; time.sleep = lambda seconds: print('Sleeps', seconds); "
             "runpy.run_path(sys.argv[1], run_name='__main__')")
    [python, file] = lab.stage_command("3b")
    server = servers.enter_context(lab.start([python, "-uc", tells, file], DELAY=None))
    lab.ask(server.port)
    assert lab.eventually(lambda: "Sleeps 60.0" in server.stdout), server.stdout


@linux_only
@pytest.mark.claim("3.3")
def test_a_socket_pair_is_the_same_seen_from_either_side(start_stage):
    server = start_stage("3a")
    with lab.connect(server.port) as client:
        ends = lab.eventually(lambda: [end for end in lab.connections(server.port)
                                       if end.state == "ESTABLISHED"])
        one, other = ends
        assert (one.local, one.foreign) == (other.foreign, other.local)
        assert {one.local, other.local} == {client.getsockname(), client.getpeername()}


@linux_only
@pytest.mark.claim("3.3")
def test_two_connections_to_one_server_have_different_pairs(start_stage):
    server = start_stage("3c")
    with lab.connect(server.port) as one, lab.connect(server.port) as other:
        assert one.getpeername() == other.getpeername() == ("127.0.0.1", server.port)
        assert one.getsockname() != other.getsockname()


@pytest.mark.claim("3.4")
@needs("strace")
def test_the_server_s_steps_in_their_order(folder, servers):
    trace = folder / "trace"
    server = servers.enter_context(lab.start(
        ["strace", "-o", str(trace), *lab.stage_command("3a")]))
    lab.ask(server.port)
    steps = ["socket", "setsockopt", "bind", "listen", "accept", "recv", "write", "send", "close",
             "accept"]
    assert lab.eventually(lambda: system_calls(trace, server.port)[:len(steps)] == steps), (
        system_calls(trace, server.port))


def system_calls(trace, port):
    """The names of the traced calls from socket() on, those that concern the network or stdout."""
    lines = trace.read_text().partition("socket(AF_INET, SOCK_STREAM")[2].splitlines()
    names = ["socket"]
    for line in lines:
        found = re.match(r"(setsockopt|bind|listen|accept|recv|send|close)\w*\(|(write)\(1, \"GET",
                         line)
        names += [found[1] or found[2]] if found else []
    return names


@pytest.mark.claim("3.4")
def test_a_client_needs_neither_bind_nor_accept(start_stage):
    """The kernel picks its port when it connects: an ephemeral one."""
    server = start_stage("1")
    low, high = map(int, output_of("""
        import sys
        if sys.platform == "darwin":
            import subprocess
            for end in "first", "last":
                name = "net.inet.ip.portrange." + end
                print(subprocess.check_output(["sysctl", "-n", name], text=True).strip())
        else:
            print(open("/proc/sys/net/ipv4/ip_local_port_range").read())
    """).split())
    with socket.socket() as client:
        assert client.getsockname() == ("0.0.0.0", 0)
        client.connect(("127.0.0.1", server.port))
        assert low <= client.getsockname()[1] <= high



@pytest.mark.claim("3.5")
def test_a_process_has_a_pid_and_the_shell_is_the_server_s_parent(servers):
    command = " ".join(lab.stage_command("3a"))
    shell = servers.enter_context(lab.start(["/bin/sh", "-c", f"{command}; true"]))
    [server] = lab.children(shell.pid)
    assert server.pid != shell.pid
    assert server.ppid == shell.pid
    assert lab.process(shell.pid).ppid == os.getpid()
    assert "webserver3a.py" in server.command


@pytest.mark.claim("3.6")
def test_descriptors_0_1_and_2_and_the_next_free_number():
    assert output_of("""
        import os, socket, sys
        os.write(1, b"written by number: ")
        print([stream.fileno() for stream in (sys.stdin, sys.stdout, sys.stderr)], end=" ")
        with socket.socket() as one, open("/dev/null") as other:
            print([one.fileno(), other.fileno()])
    """) == "written by number: [0, 1, 2] [3, 4]"


@linux_only
@pytest.mark.claim("3.6")
def test_a_listening_socket_is_a_descriptor(start_stage):
    server = start_stage("3a")
    table = lab.descriptors(server.pid)
    assert {0, 1, 2} < set(table)
    [listener] = lab.listeners(server.port)
    assert f"socket:[{listener.inode}]" in table.values()


@linux_only
@needs("ss")
@pytest.mark.claim("3.7")
@pytest.mark.parametrize("name", ["3a", "3b"])
def test_the_queue_and_who_finds_it_full(name, start_stage):
    """Backlog 5, the server busy with one, 10 more: 6 wait in the queue, 4 do not get in."""
    server = start_stage(name)
    with ExitStack() as stack:
        stack.enter_context(lab.connect(server.port))
        assert lab.eventually(lambda: lab.listeners(server.port)[0].waiting == 0)
        for _ in range(10):  # one after another, or some would be half inside for a while
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", server.port))
            lab.eventually(lambda client=client: is_connected(client), 0.1)
        assert lab.eventually(lambda: lab.listeners(server.port)[0].waiting == 6)
        assert lab.eventually(lambda: syn_sent(server.port) == 4)
        shown = subprocess.run(["ss", "-ltnH", f"sport = :{server.port}"], capture_output=True,
                               text=True, check=True).stdout.split()
        assert shown[1:3] == ["6", "5"], "ss: Recv-Q is the queue, Send-Q the backlog"


@linux_only
@pytest.mark.claim("3.7")
def test_clients_that_found_the_queue_full_get_in_later(start_stage):
    """Their kernel sends the SYN again: after a second on Linux."""
    server = start_stage("3b", DELAY=0)
    with ThreadPoolExecutor() as pool, lab.connect(server.port) as silent:
        clients = pool.submit(lab.ask_at_once, server.port, 10, timeout=50)
        assert lab.eventually(lambda: lab.listeners(server.port)[0].waiting == 6)
        assert lab.eventually(lambda: syn_sent(server.port))
        silent.sendall(lab.clients.REQUEST)
        answers = clients.result()
    assert [answer.status for answer in answers] == [200] * 10
    assert 1 <= len([answer for answer in answers if answer.connected > 0.5]) <= 4


def syn_sent(port):
    """How many clients have sent a SYN to the port and have no answer to it."""
    return sum(end.state == "SYN_SENT" for end in lab.connections(port))


@pytest.mark.claim("3.7")
def test_a_longer_backlog_makes_no_server_concurrent(folder, servers):
    """3b with room for 128 in its queue: three clients still take as long as three sleeps."""
    longer = folder / "longer.py"
    source = (lab.PROJECT / "part3/webserver3b.py").read_text()
    longer.write_text(source.replace("REQUEST_QUEUE_SIZE = 5", "REQUEST_QUEUE_SIZE = 128"))
    server = servers.enter_context(lab.start([sys.executable, str(longer)], DELAY=0.4))
    assert seconds(lambda: lab.ask_at_once(server.port, 3)) >= 3 * 0.4
