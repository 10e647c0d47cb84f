"""notebooks/lab/production.py: what it says where something is missing, and what it keeps."""

import os
import socket

import pytest

import lab
from lab import production


def test_what_is_missing_is_said_in_a_sentence_with_a_way_out(monkeypatch, folder):
    monkeypatch.setattr(production, "search_path", lambda: str(folder))
    sentence = production.missing("nginx", "ip")
    assert "nginx and ip" in sentence
    assert sentence.endswith("apt install nginx-light iproute2")
    with pytest.raises(lab.CannotSee, match="apt install nginx-light"):
        production.start_nginx(["127.0.0.1:1"])
    assert production.missing() == ""


def test_change_that_fits_no_line_is_refused():
    """Or a cell would show nginx as it is, and say that it shows something else."""
    with pytest.raises(lab.ServerError, match="nginx.conf has no 'proxy_bufering on;'"):
        production.configuration([], 1, 2, {"proxy_bufering on;": ""})


def test_each_instance_has_a_line_with_the_limits_of_the_first():
    text = production.configuration(["127.0.0.2:7", "unix:/a/b"], 8001, 8002)
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("server ")]
    assert lines[0] == "server 127.0.0.2:7 max_fails=1 fail_timeout=2s;"
    assert lines[1].startswith("server unix:/a/b max_fails=1 fail_timeout=2s;")
    assert "listen 127.0.0.1:8001;" in text
    assert "listen 127.0.0.1:8002 ssl;" in text
    assert "listen 127.0.0.1:8080" not in text


def test_configuration_that_nginx_will_not_have_is_said(start_nginx, start_instance):
    instance = start_instance("part2.wsgiapp:app")
    nginx = start_nginx([instance])
    with pytest.raises(lab.ServerError, match="goes on as before"):
        nginx.reload([instance], {"# least_conn;": "most_conn;"})
    assert lab.ask(nginx.port).status == 200


def test_kept_socket_lets_clients_wait_for_the_next_server(servers, folder):
    kept = servers.enter_context(production.KeptSocket(folder / "socket"))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(folder / "socket"))
        client.sendall(lab.clients.REQUEST)
        server = servers.enter_context(kept.start("part2.wsgiapp:app"))
        assert b"Hello world" in lab.read_until(client, b"Hello world")
    assert server.exit_status is None


def test_what_is_made_half_is_removed(folder):
    with pytest.raises(lab.CannotSee, match="no_such_command"):
        production.Kept(f"mkdir {folder}/made", f"rmdir {folder}/made", make="no_such_command")
    assert list(folder.iterdir()) == []


def test_what_is_somebody_else_s_is_left_alone(folder):
    (folder / "made").mkdir()
    with pytest.raises(lab.CannotSee, match="exists"):
        production.Kept(f"mkdir {folder}/made", f"rmdir {folder}/made")
    assert os.listdir(folder) == ["made"]


def test_load_counts_what_is_lost():
    """Nobody listens there."""
    with production.Load(lab.free_port(), 10, clients=2) as load:
        pass
    assert len(load.lost) == 10
    assert isinstance(load.lost[0].error, ConnectionRefusedError)
