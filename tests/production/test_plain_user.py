"""The same for somebody who is not root, on a machine of his own: see tests/helpers/spare.py."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.helpers import spare
from tests.helpers.scripts import needs

pytestmark = pytest.mark.thorough

UID = 61234
AS_PLAIN_USER = f"setpriv --reuid {UID} --regid {UID} --clear-groups env HOME=/home/plain"
MAKE_A_HOME = (f"mkdir -p /home/plain; cp -r . /home/plain/server; chown -R {UID} /home/plain\n"
               "cd /home/plain/server\n")
ASK = """/usr/bin/python3 -c '
import ssl, sys, time, urllib.request
trust = ssl.create_default_context(cafile=".venv/nginx/certificate.pem")
for url in sys.argv[1:]:
    context = trust if url.startswith("https") else None
    print(urllib.request.urlopen(url, timeout=20, context=context).read().decode(), end="")
' """


def open_the_way(path):
    """Shell commands that let everybody through to a path; on the spare machine alone."""
    folders = [*Path(path).parents, *Path(os.path.realpath(path)).parents]
    return "".join(f"chmod a+x {shlex.quote(str(folder))}\n" for folder in folders)


@needs("nginx")
@needs("openssl")
def test_make_nginx_serves_and_ends_with_ctrl_c(folder):
    ended = spare.run(folder, f"""{MAKE_A_HOME}
        {AS_PLAIN_USER} /usr/bin/python3 part3/webserver3z.py part2.wsgiapp:app >/dev/null &
        {AS_PLAIN_USER} make nginx >said 2>&1 &
        for attempt in $(seq 100); do
            sleep 0.1
            {ASK} http://localhost:8080/ 2>/dev/null && break
        done
        {ASK} http://localhost:8080/hello https://localhost:8443/hello
        pid=$(cat .venv/nginx/nginx.pid)
        stat -c %u /proc/$pid
        kill -INT $pid
        wait $!
        test -e /proc/$pid || echo gone
        cat said""")
    hello = "Hello world from a simple WSGI application!\n"
    assert ended.stdout.startswith(f"{hello * 3}{UID}\ngone\n"), ended.stdout + ended.stderr


@needs("nginx")
@needs("openssl")
@pytest.mark.timeout(180)
@pytest.mark.skipif(Path(sys.prefix).is_relative_to("/tmp"),
                    reason="the spare machine has a /tmp of its own, without our .venv")
def test_the_instruments_work(folder):
    """The tests of nginx and of instances that are killed, run by that user."""
    tests = "take_turns or tls_ends or SIGKILL"
    ended = spare.run(folder, f"""{open_the_way(sys.executable)}{open_the_way(sys.prefix)}
        {MAKE_A_HOME}
        {AS_PLAIN_USER} PYTHONPATH=notebooks {shlex.quote(sys.executable)} -m pytest \
            --numprocesses=0 -k {shlex.quote(tests)} \
            tests/production/test_machines.py tests/production/test_nginx.py""", timeout=170)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]
    assert "3 passed" in ended.stdout
