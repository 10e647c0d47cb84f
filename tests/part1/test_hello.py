"""Claims 1.1 to 1.6, 4.3 and 4.4: what a web server is, and what speaks to it."""

import socket
import subprocess
import urllib.request

import pytest

import lab
from tests.helpers.scripts import needs

HELLO = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"


@pytest.fixture
def server(start_stage):
    return start_stage("1")


def url(server, path="/hello"):
    return f"http://localhost:{server.port}{path}"


@pytest.mark.claim("1.1")
def test_waits_then_reads_then_writes_and_waits_again(server):
    for asked in (1, 2):
        assert lab.eventually(lambda: lab.process(server.pid).state == "sleeping")
        assert server.stdout.count("GET /hello") == asked - 1
        assert lab.ask(server.port).data == HELLO
        assert lab.eventually(lambda asked=asked: server.stdout.count("GET /hello") == asked)


@pytest.mark.claim("1.2")
def test_the_host_picks_the_machine(server):
    addresses = {found[4][0] for found in socket.getaddrinfo("localhost", server.port)}
    assert "127.0.0.1" in addresses
    assert lab.ask(server.port, host="localhost").data == HELLO


@pytest.mark.claim("1.2")
def test_the_port_picks_the_program(server, start_stage):
    other = start_stage("2", "part2.wsgiapp:app")
    assert lab.ask(server.port).body == b"Hello, World!\n"
    assert lab.ask(other.port).body == b"Hello world from a simple WSGI application!\n"


@pytest.mark.claim("1.2")
def test_the_path_picks_the_page(start_stage):
    server = start_stage("2", "part2.flaskapp:app")
    assert lab.ask(server.port).status == 200
    assert lab.ask(server.port, b"GET /bye HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 404


@pytest.mark.claim("1.3")
def test_the_connection_stands_before_a_byte_is_sent(server):
    with lab.connect(server.port) as connection:
        ends = lab.eventually(lambda: [end for end in lab.connections(server.port)
                                       if end.state == "ESTABLISHED"])
        assert len(ends) == 2
        assert "GET" not in server.stdout
        connection.sendall(b"GET /hello HTTP/1.1\r\n\r\n")
        assert lab.read_until(connection, b"World!\n") == HELLO


@needs("curl")
@pytest.mark.claim("1.4")
def test_request_has_a_line_and_headers_and_an_empty_line(server):
    subprocess.run(["curl", "-s", url(server)], check=True, stdout=subprocess.DEVNULL)
    assert lab.eventually(lambda: "\n\n" in server.stdout)
    _, request_line, *headers = server.stdout.splitlines()
    assert request_line == "GET /hello HTTP/1.1"
    end = headers.index("")
    assert f"Host: localhost:{server.port}" in headers[:end]
    assert all(": " in header for header in headers[:end])


@pytest.mark.claim("1.4")
def test_response_has_a_line_and_headers_and_an_empty_line_and_a_body(server, start_stage):
    head, empty_line, body = lab.ask(server.port).data.partition(b"\r\n\r\n")
    assert (head, empty_line, body) == (b"HTTP/1.1 200 OK", b"\r\n\r\n", b"Hello, World!\n")
    other = start_stage("2", "part2.wsgiapp:app")
    status_line, *headers = lab.ask(other.port).data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert status_line == b"HTTP/1.1 200 OK"
    assert b"Content-Type: text/plain" in headers


@pytest.mark.claim("1.5")
@pytest.mark.parametrize("nonsense", [
    b"hello?\r\n", b"DELETE /everything HTTP/9.9\r\n\r\n", b"\x00\xff\xfe", b"GET",
], ids=["a word", "a strange method", "bytes that are no text", "half a request"])
def test_nonsense_gets_hello_too(server, nonsense):
    assert lab.ask(server.port, nonsense).data == HELLO


@needs("curl")
@pytest.mark.claim("1.6")
def test_curl_is_a_client(server):
    ended = subprocess.run(["curl", "-sv", url(server)], capture_output=True, text=True,
                           check=True)
    assert ended.stdout == "Hello, World!\n"
    assert "< HTTP/1.1 200 OK" in ended.stderr


@pytest.mark.claim("1.6")
@needs("telnet")
def test_telnet_is_a_client(server):
    with subprocess.Popen(["telnet", "127.0.0.1", str(server.port)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as telnet:
        shown = ""
        while "Escape character" not in shown:
            shown += telnet.stdout.readline()
        telnet.stdin.write("GET /hello HTTP/1.1\n")
        telnet.stdin.flush()
        shown += telnet.stdout.read()
    assert "Hello, World!" in shown


@pytest.mark.claim("1.6")
def test_a_library_is_a_client(server):
    with urllib.request.urlopen(url(server), timeout=10) as response:
        assert response.read() == b"Hello, World!\n"


@pytest.fixture
def line():
    """Both ends of a connection: the client's, and the one that accept has returned."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = lab.connect(listening.getsockname()[1])
        ours, _ = listening.accept()
    with client, ours:
        ours.settimeout(10)
        yield client, ours


@pytest.mark.claim("4.3")
def test_half_a_request_is_answered_before_the_rest_is_sent(server):
    with lab.connect(server.port) as connection:
        connection.sendall(b"GET /hel")
        assert lab.read_until(connection, b"World!\n") == HELLO
    assert lab.eventually(lambda: server.stdout.endswith("\nGET /hel\n"))


@pytest.mark.claim("4.3")
def test_two_sends_may_be_one_recv(line):
    client, ours = line
    client.sendall(b"first ")
    client.sendall(b"second ")
    whole = b"first second "
    assert lab.eventually(lambda: ours.recv(100, socket.MSG_PEEK) == whole)
    assert ours.recv(100) == whole


@pytest.mark.claim("4.3")
def test_one_send_takes_a_part_where_nobody_reads(line):
    client, _ = line
    client.setblocking(False)
    assert 0 < client.send(bytes(50_000_000)) < 50_000_000


@pytest.mark.claim("4.4")
@pytest.mark.parametrize("size", [0, 100])
def test_connection_ends_in_order_where_all_was_read(size, server):
    answer = lab.ask(server.port, b"POST /hello HTTP/1.1\r\n\r\n" + b"x" * size)
    assert (answer.data, answer.error) == (HELLO, None)


@pytest.mark.claim("4.4")
def test_connection_is_reset_where_data_lie_unread(server):
    def ask(connection):
        connection.sendall(b"POST /hello HTTP/1.1\r\n\r\n" + b"x" * 1_000_000)
        return lab.read_until(connection, b"no such end")

    with lab.connect(server.port) as connection, pytest.raises(ConnectionError):
        ask(connection)


@pytest.mark.claim("4.4")
def test_who_has_said_that_no_more_will_come_still_gets_an_answer(line):
    client, ours = line
    client.sendall(b"all")
    client.shutdown(socket.SHUT_WR)
    assert lab.read_until(ours, b"no such end") == b"all"
    port = ours.getsockname()[1]
    assert lab.eventually(lambda: sorted(end.state for end in lab.connections(port)) == [
        "CLOSE_WAIT", "FIN_WAIT2"])
    ours.sendall(b"understood")
    ours.close()
    assert lab.read_until(client, b"no such end") == b"understood"
