"""The units of systemd, and nginx.conf, copied to where they belong on a machine of its own."""

import configparser
import re
import shlex
import subprocess

import pytest

import lab
from lab import production
from tests.helpers import spare
from tests.helpers.capstone import workers
from tests.helpers.scripts import needs

FILES = ("nginx.conf", "webserver.service", "webserver.socket")
ASK = """/usr/bin/python3 -c '
import ssl, sys, urllib.request
trust = ssl.create_default_context(cafile="/etc/nginx/certificate.pem")
for url in sys.argv[1:]:
    context = trust if url.startswith("https") else None
    print(urllib.request.urlopen(url, timeout=20, context=context).read().decode(), end="")
' """


def text(name):
    return (lab.PROJECT / "part3" / name).read_text()


def unit(name):
    """A unit's sections, as a mapping of mappings."""
    parser = configparser.ConfigParser(interpolation=None, delimiters="=", strict=True)
    parser.optionxform = str
    parser.read_string(text(name))
    return parser


def commands(name):
    """What the text at the top of a file tells its reader to do as root, but for systemctl."""
    comment = text(name).partition("\n\n[Unit]" if "[Unit]" in text(name) else "\nworker")[0]
    lines = re.sub(r" \\\n# *", " ", comment).splitlines()
    found = [line.removeprefix("#     sudo ") for line in lines if line.startswith("#     sudo ")]
    found = [line.partition(" && sudo systemctl")[0] for line in found]
    return "\n".join(line for line in found if not line.startswith("systemctl"))


@pytest.fixture
def machine(folder):
    """machine(script): what a script of the shell prints as root on a spare machine."""
    def machine(script):
        ended = spare.run(folder, script)
        assert ended.returncode == 0, f"{script}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout
    return machine


def serve_as_the_units_say():
    """The shell commands that do what systemd would do for webserver.service, as far as can be."""
    service, socket = unit("webserver.service")["Service"], unit("webserver.socket")["Socket"]
    return (f"(cd {service['WorkingDirectory']}; exec >/dev/null\n"
            f" exec setpriv --reuid 61234 --regid 61234 --clear-groups"
            f" systemd-socket-activate -l {socket['ListenStream']} {service['ExecStart']}) &\n")


def test_the_texts_fit_a_screen():
    long = [line for name in FILES for line in text(name).splitlines() if len(line) > 100]
    assert long == []


@pytest.mark.parametrize("name", ["webserver.service", "webserver.socket"])
def test_every_setting_of_a_unit_has_its_reason(name):
    """The lines before it, back to a blank one, have a comment; Description is one itself."""
    for paragraph in text(name).split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("[")]
        settings = [line for line in lines if "=" in line and not line.startswith("#")]
        if settings and not settings[0].startswith("Description="):
            assert lines[0].startswith("# "), settings[0]


@needs("nginx")
@needs("openssl")
@needs("systemd-socket-activate")
def test_all_of_it_installed_as_it_says_serves(machine):
    """/srv/webserver, /etc/systemd/system and /etc/nginx, and no byte of them changed by hand."""
    before, answers, log, after = machine(
        "ls /usr/share/nginx; echo ===\n"
        f"{commands('webserver.service')}\n{commands('nginx.conf')}\n"
        "cmp part3/webserver.service /etc/systemd/system/webserver.service\n"
        "cmp part3/webserver.socket /etc/systemd/system/webserver.socket\n"
        f"{serve_as_the_units_say()}"
        "nginx -g 'daemon on; master_process on;'\n"
        f"{ASK} http://127.0.0.1:8080/hello https://localhost:8443/hello; echo ===\n"
        "cat /var/log/nginx/access.log; echo ===\n"
        "ls /usr/share/nginx").split("===\n")
    assert answers == "Hello world from a simple WSGI application!\n" * 2
    assert log.count('127.0.0.1 "GET /hello HTTP/1.1" 200 44 by 127.0.0.1:8888') == 2
    assert after == before, "the folder that nginx was built for has nothing new in it"


@needs("nginx")
@needs("openssl")
def test_nginx_takes_the_file_as_it_is(machine):
    """Copied to /etc/nginx and not changed at all; only the certificate has to be there."""
    copy, _, make_certificate, _ = commands("nginx.conf").splitlines()
    machine(f"{copy}\n{make_certificate}\nnginx -t\ncmp part3/nginx.conf /etc/nginx/nginx.conf")


@needs("systemd-analyze")
def test_systemd_takes_the_units(machine):
    said = machine(f"{commands('webserver.service')}\n"
                   "systemd-analyze verify webserver.service webserver.socket 2>&1")
    assert "webserver" not in said, said


@needs("systemd-analyze")
def test_systemd_would_not_take_everything(machine):
    """Else the test above could not fail."""
    said = machine(f"{commands('webserver.service')}\n"
                   "sed -i 's/^KillMode=.*/KillMod=mixed/' /etc/systemd/system/webserver.service\n"
                   "systemd-analyze verify webserver.service 2>&1 || true")
    assert "webserver.service:" in said


ASK_ALL_THE_TIME = """/usr/bin/python3 -c '
import os, socket
served = cut = 0
while not os.path.exists("/run/over"):
    with socket.create_connection(("127.0.0.1", 8888), 60) as client:
        try:
            client.sendall(b"GET /hello HTTP/1.0\\r\\n\\r\\n")
            served += client.recv(100).startswith(b"HTTP/1.1 200 OK")
        except OSError:
            cut += 1
print("none was refused" if served > 50 and cut < 5 else (served, cut))
' """
START = """
systemctl daemon-reload
systemctl enable --now webserver.socket webserver.service nginx
systemctl is-active webserver.socket webserver.service nginx
"""
WHAT_HAPPENS_TO_IT = """
asks=$!
systemctl restart webserver && echo restarted
systemctl reload webserver && echo reloaded
sleep 0.5
systemctl kill --kill-whom=main --signal=KILL webserver && echo killed
for attempt in $(seq 100); do
    sleep 0.1
    systemctl is-active --quiet webserver && break
done
sleep 0.5
touch /run/over
wait $asks
stat -c %u /proc/$(systemctl show -p MainPID --value webserver)
ls -d /var/lib/webserver
systemctl stop webserver.socket webserver
systemctl show -p Result webserver
"""


@needs("nginx")
@needs("openssl")
@pytest.mark.timeout(120)
def test_systemd_itself_runs_it(folder):
    """It is restarted, gets new code, and is killed, while a client connects without a pause: it
    is never refused. (A request that is being answered when all is killed, is lost.)"""
    said = spare.run_under_systemd(
        folder, f"{commands('webserver.service')}\n{commands('nginx.conf')}\n{START}"
                f"{ASK} http://127.0.0.1:8080/hello https://localhost:8443/hello\n"
                f"{ASK_ALL_THE_TIME} &\n{WHAT_HAPPENS_TO_IT}")
    _, active, after = said.partition("active\nactive\nactive\n")
    assert active, said
    *lines, uid, state, result = after.splitlines()
    assert lines == [*["Hello world from a simple WSGI application!"] * 2,
                     "restarted", "reloaded", "killed", "none was refused"], said
    assert 61184 <= int(uid) <= 65519, "a user for this alone: systemd.exec(5), DynamicUser="
    assert (state, result) == ("/var/lib/webserver", "Result=success")


@pytest.fixture
def start_service(servers):
    """start_service(kept): the server with the options of webserver.service, and this socket."""
    _, stage, *options, application = shlex.split(
        unit("webserver.service")["Service"]["ExecStart"])
    assert (lab.PROJECT / stage).name == f"webserver{production.LAST}.py"

    def start_service(kept):
        server = servers.enter_context(kept.start(application, *options, "--workers", "2"))
        servers.callback(lambda: servers.pids.extend(server.members()))
        return server
    return start_service


@pytest.fixture
def kept(servers):
    return servers.enter_context(production.KeptSocket())


@pytest.mark.claim("3.37")
def test_restart_behind_nginx_loses_no_request(start_nginx, start_service, kept):
    """As `systemctl restart` does it: the old server finishes, then the new one gets the socket."""
    server = start_service(kept)
    with production.Load(start_nginx([kept.place]).port, clients=8) as load:
        for _ in range(3):
            assert load.made(len(load.outcomes) + 300)
            server.process.terminate()
            assert server.wait_until_dead(20) == 0
            server = start_service(kept)
        assert load.made(len(load.outcomes) + 300)
    assert not load.lost, f"{len(load.lost)} of {len(load.outcomes)}: {load.lost[:3]}"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_reload_behind_nginx_loses_no_request(start_nginx, start_service, kept, method):
    """As `systemctl reload` does it. A POST is not said twice: it has to get through at once."""
    server = start_service(kept)
    nginx = start_nginx([kept.place])
    reload = ["env", f"MAINPID={server.pid}", "sh", "-c",
              unit("webserver.service")["Service"]["ExecReload"]]
    with production.Load(nginx.port, clients=8, method=method, body=b"a=1") as load:
        for _ in range(3):
            assert load.made(len(load.outcomes) + 100)
            before = workers(server)
            subprocess.run(reload, check=True)
            assert lab.eventually(lambda: not before & workers(server), 20)  # noqa: B023
        assert load.made(len(load.outcomes) + 100)
    assert not load.lost, f"{len(load.lost)} of {len(load.outcomes)}: {load.lost[:3]}"
