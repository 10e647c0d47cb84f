"""Claim 2.10: the applications of part 2, not a byte changed, on the servers that people use."""

import subprocess
import sys

import pytest

import lab
from lab import peers
from lab.production import missing

pytestmark = pytest.mark.claim("2.10")

APPLICATIONS = {
    "part2.wsgiapp:app": b"Hello world from a simple WSGI application!\n",
    "part2.flaskapp:app": b"Hello world from Flask!\n",
    "part2.pyramidapp:app": b"Hello world from Pyramid!\n",
    "part2.djangoapp:app": b"Hello world from Django!\n",
}
CHANGES = {"uWSGI": peers.SPEAKS_UWSGI}


def cannot_run(name, application):
    """Why this server cannot run this application here; "" if it can."""
    if name != "uWSGI":
        return ""
    if sentence := missing("uwsgi"):
        return sentence
    asked = subprocess.run(["uwsgi", "--plugin", "python3", "--python-version"],
                           capture_output=True, text=True, check=False).stdout.split(".")
    ours = [str(number) for number in sys.version_info[:2]]
    if "wsgiapp" not in application and asked[:2] != ours:
        return f"uwsgi's Python is {'.'.join(asked[:2])}, and the packages are for {'.'.join(ours)}"
    return ""


@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("name", peers.COMMANDS)
def test_the_same_application_behind_nginx(name, application, start_nginx, servers):
    """By HTTP, by uwsgi's own protocol, by TCP and by a unix socket: the same body."""
    if why := cannot_run(name, application):
        pytest.skip(why)
    try:
        server = servers.enter_context(peers.start(name, application))
    except lab.CannotSee as why:
        pytest.skip(str(why))
    nginx = start_nginx([server.place], CHANGES.get(name, {}))
    answer = lab.ask(nginx.port)
    assert (answer.status, answer.body) == (200, APPLICATIONS[application])
    assert answer.headers["server"] == "nginx"
    [visit] = lab.eventually(nginx.visits)
    assert visit.instances == [server.place]
