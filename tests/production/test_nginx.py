"""nginx in front of one of our instances, as part3/nginx.conf has it: who sees what of whom."""

import json
import re
import socket
import ssl

import pytest

import lab
from lab import production
from tests.spec.stages import STAGES

READING = "tests.apps.various:says_reading"
COUNTS = "tests.apps.behind:counts"
ONE = {"worker_processes auto;": "worker_processes 1;"}
LIES = [  # what a client may say that it is
    b"X-Forwarded-For: 203.0.113.9", b"X-Forwarded-Proto: gopher", b"X-Forwarded-Host: example.org",
    b"X-Forwarded-Port: 70", b"Forwarded: for=203.0.113.9;proto=gopher;host=example.org",
    b"X_Forwarded_For: 203.0.113.9", b"X_Forwarded_Proto: gopher", b"X_Forwarded_Host: example.org",
]


def request(path, *lines, method=b"GET", host=b"www.example.com:8080"):
    head = [b"%s %s HTTP/1.1" % (method, path.encode()), b"Host: " + host, b"Connection: close",
            *lines]
    return b"\r\n".join(head) + b"\r\n\r\n"


def ask_by_tls(nginx, sent):
    """What comes back, all of it. The certificate is checked: it is localhost's."""
    context = ssl.create_default_context(cafile=nginx.folder / "certificate.pem")
    with socket.create_connection(("127.0.0.1", nginx.tls_port), 20) as raw, \
            context.wrap_socket(raw, server_hostname="localhost") as client:
        client.sendall(sent)
        return lab.read_until(client, b"no such end")


def body(data):
    return data.partition(b"\r\n\r\n")[2]


# What it says of the client


def test_client_s_lies_do_not_get_through(start_instance, start_nginx):
    nginx = start_nginx([start_instance(READING)])
    read = json.loads(lab.ask(nginx.port, request("/hello", *LIES)).body)
    assert read["HTTP_HOST"] == "www.example.com:8080"
    assert {name: said for name, said in read.items() if "FORWARDED" in name} == {
        "HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "http",
        "HTTP_X_FORWARDED_HOST": "www.example.com:8080",
        "HTTP_X_FORWARDED_PORT": str(nginx.port)}


def test_without_nginx_they_do(start_instance):
    """Else the test above could not fail."""
    server = start_instance(READING)
    read = json.loads(lab.ask(server.port, request("/hello", *LIES)).body)
    assert read["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"
    assert "example.org" in read["HTTP_FORWARDED"]


def test_tls_ends_at_nginx_which_says_so(start_instance, start_nginx):
    nginx = start_nginx([start_instance(READING)])
    read = json.loads(body(ask_by_tls(nginx, request("/hello", *LIES, host=b"localhost"))))
    assert read["HTTP_X_FORWARDED_PROTO"] == "https"
    assert read["HTTP_X_FORWARDED_PORT"] == str(nginx.tls_port)
    assert read["HTTP_HOST"] == "localhost"


@pytest.mark.parametrize(("name", "plain", "by_tls"), [
    ("credulous", b"127.0.0.1 http://localhost/who", b"127.0.0.1 http://localhost/who"),
    ("fixed", b"127.0.0.1 http://localhost/who", b"127.0.0.1 https://localhost/who"),
])
def test_flask_knows_what_the_client_asked_by_proxyfix(
        start_instance, start_nginx, name, plain, by_tls):
    nginx = start_nginx([start_instance(f"tests.apps.behind:{name}")])
    asked = request("/who", *LIES, host=b"localhost")
    assert lab.ask(nginx.port, asked).body == plain
    assert body(ask_by_tls(nginx, asked)) == by_tls


def test_proxyfix_believes_anybody_who_gets_past_the_proxy(start_instance):
    """Hence the instance listens where nobody but nginx comes."""
    server = start_instance("tests.apps.behind:fixed")
    assert server.host == "127.0.0.1"
    answer = lab.ask(server.port, request("/who", *LIES, host=b"localhost"))
    assert answer.body == b"203.0.113.9 gopher://example.org/who"


@pytest.mark.parametrize(("environment", "scheme"), [({}, b"http"), ({"BELIEVES": 1}, b"https")])
def test_django_knows_of_tls_by_secure_proxy_ssl_header(
        start_instance, start_nginx, environment, scheme):
    nginx = start_nginx([start_instance("tests.apps.behind_django:app", **environment)])
    asked = request("/who", host=b"localhost")
    assert body(ask_by_tls(nginx, asked)) == scheme + b"://localhost/who"
    lie = request("/who", b"X-Forwarded-Proto: https", host=b"localhost")
    assert lab.ask(nginx.port, lie).body == b"http://localhost/who"


# What it keeps


@pytest.mark.parametrize(("changes", "kept"), [
    ({}, 1), ({'proxy_set_header Connection "";': ""}, 0), ({"proxy_http_version 1.1;": ""}, 0),
], ids=["as it is", "without Connection", "with 1.0"])
def test_twenty_clients_share_one_connection(start_instance, start_nginx, changes, kept):
    server = start_instance(READING)
    nginx = start_nginx([server], {**ONE, **changes})
    statuses = {lab.ask(nginx.port, request("/hello")).status for _ in range(20)}
    assert statuses == {200}
    clients = {end.foreign[1] for end in connections_of(server)}
    assert len(clients) == (1 if kept else 20), clients
    assert len(lab.socket_pairs(server.port)) == kept


def connections_of(server):
    """The server's ends of its connections, those that are over as well: they wait for a minute."""
    try:
        return [end for end in lab.connections(server.port) if end.local[1] == server.port]
    except lab.CannotSee as why:
        pytest.skip(str(why))


def test_nginx_lets_go_of_a_connection_before_we_do():
    """Else a request might come on a connection that we are closing."""
    text = production.CONFIGURATION.read_text()
    upstream = text[text.index("upstream instances"):text.index("server {")]
    nginx = int(re.search(r"keepalive_timeout (\d+)s;", upstream)[1])
    source = (lab.PROJECT / STAGES[production.LAST].file).read_text()
    assert nginx < int(re.search(r'"TIMEOUT"\) or "(\d+)"', source)[1])


# Who waits for whom


def drip(nginx, server, changes_seen):
    """Send an upload by halves; changes_seen() is what the instance has of it in between."""
    size = 300_000
    with lab.connect(nginx.port, timeout=20) as client:
        client.sendall(request("/hello", b"Content-Length: %d" % size, method=b"POST"))
        client.sendall(bytes(size // 2))
        seen = changes_seen()
        client.sendall(bytes(size // 2))
        assert lab.read_until(client, b"no such end").endswith(b"%d" % size)
    assert f"called with {size} bytes" in server.stderr
    return seen


def test_slow_upload_ends_at_nginx(start_instance, start_nginx):
    """While it comes, our server has not so much as a connection."""
    server = start_instance(COUNTS)
    nginx = start_nginx([server])

    def is_in_nginx():
        """It is in a file by now, for it is too large for nginx's memory."""
        return lab.eventually(lambda: [meaning for worker in nginx.workers
                                       for meaning in lab.descriptors(worker).values()
                                       if "/body/" in meaning])

    assert drip(nginx, server, lambda: is_in_nginx() and len(connections_of(server)) == 0)


def test_slow_upload_is_ours_if_nginx_hands_on_what_comes(start_instance, start_nginx):
    """Else the test above could not fail."""
    server = start_instance(COUNTS)
    nginx = start_nginx([server],
                        {"proxy_request_buffering on;": "proxy_request_buffering off;"})
    assert drip(nginx, server, lambda: lab.eventually(lambda: connections_of(server)))


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_slow_reader_is_nginx_s(start_instance, start_nginx, buffering):
    """We have sent 32 MB, and are done, before the client has read any of it; unless nginx reads no
    faster than it can hand on."""
    server = start_instance("tests.apps.behind:streams")
    nginx = start_nginx([server], {"proxy_buffering on;": f"proxy_buffering {buffering};"})
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(20)
        client.connect(("127.0.0.1", nginx.port))
        client.sendall(request("/slowly"))

        def is_over():
            return "GET /slowly" in server.stdout
        if buffering == "on":
            assert lab.eventually(is_over, 20)
        else:
            assert lab.eventually(lambda: connections_of(server))
            assert not lab.eventually(is_over, 0.5)
        assert sum(map(len, iter(lambda: client.recv(65536), b""))) > 32 << 20
    assert lab.eventually(is_over)


@pytest.mark.parametrize(("sent", "status", "changes"), [
    (b"GET /hello HTTP/1.1\r\nHost: a\r\n", 408, {"client_header_timeout 10s;":
                                                  "client_header_timeout 1s;"}),
    (request("/hello", b"Content-Length: 9", method=b"POST") + b"half", 408,
     {"client_body_timeout 10s;": "client_body_timeout 1s;"}),
    (request("/hello", b"Content-Length: 5000", method=b"POST") + bytes(5000), 413,
     {"client_max_body_size 1g;": "client_max_body_size 4k;"}),
], ids=["half a head", "half a body", "too much"])
def test_what_nginx_refuses_never_reaches_us(start_instance, start_nginx, sent, status, changes):
    server = start_instance(COUNTS)
    nginx = start_nginx([server], changes)
    answer = lab.ask(nginx.port, sent)
    assert answer.error is None, "nginx ends the connection"
    assert answer.status in (status, None)
    assert [visit.status for visit in lab.eventually(nginx.visits)] == [status]
    assert connections_of(server) == []
