"""part3/client3.py: N clients are N processes, and each opens its connections."""

import os
import signal
import socket
import subprocess
import sys

import pytest

import lab
from tests.spec.subject import freeze

COMMAND = [sys.executable, str(lab.PROJECT / "part3/client3.py")]


def run(*arguments, **environment):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})


@pytest.mark.parametrize(("clients", "connections"), [(1, 1), (1, 7), (7, 1), (5, 4)])
def test_it_opens_clients_times_conns_connections(clients, connections, start_stage):
    server = start_stage("3c", DELAY=0)
    ended = run("--max-clients", str(clients), "--max-conns", str(connections),
                PORT=str(server.port))
    assert ended.stdout == f"{clients} of {clients} clients were answered.\n"
    assert (ended.returncode, ended.stderr) == (0, "")
    assert lab.eventually(lambda: server.stdout.count("GET /hello") == clients * connections)


def test_each_client_is_a_process_and_all_are_connected_at_once(start_stage):
    server = start_stage("3a")
    silent = lab.connect(server.port)  # keeps the server from answering until it leaves
    with subprocess.Popen([*COMMAND, "--max-clients", "3"], stdout=subprocess.DEVNULL,
                          env={**os.environ, "PORT": str(server.port)}) as client, silent:
        assert lab.eventually(lambda: lab.listeners(server.port)[0].waiting == 3)
        assert len(lab.children(client.pid)) == 3
    assert client.returncode == 0


def test_no_client_goes_before_all_of_them_are_there():
    """The first connection comes when the last client has been forked: they wait at a gate."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        port = str(listener.getsockname()[1])
        with subprocess.Popen([*COMMAND, "--max-clients", "100"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env={**os.environ, "PORT": port}) as crowd:
            first, _ = listener.accept()
            freeze(crowd.pid)
            clients = len(lab.children(crowd.pid))
            os.kill(crowd.pid, signal.SIGCONT)
            first.close()
            listener.close()  # the others see the end of their connections
    assert clients == 100


def test_host_says_where(start_stage):
    server = start_stage("3c", host="127.0.0.2", DELAY=0)
    assert run(HOST="127.0.0.2", PORT=str(server.port)).returncode == 0
    refused = run(PORT=str(server.port))
    assert refused.returncode == 1
    assert refused.stdout == "0 of 1 clients were answered.\n"


def test_no_server_is_said_in_a_line_a_client():
    ended = run("--max-clients", "2", PORT=str(lab.free_port()))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 2
    assert ended.stderr.count("Connection refused") == 2


@pytest.mark.parametrize("arguments", [
    ["--max-clients", "0"], ["--max-conns", "-1"], ["--max-clients", "many"], ["--clients"]])
def test_wrong_arguments_are_said_in_a_line(arguments):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("usage: client3.py")


@pytest.mark.parametrize("port", ["abc", "70000"])
def test_port_that_is_none_is_said_in_a_line(port):
    ended = run(PORT=port)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == 1
