"""The checks of tests/spec pass on servers that have what no stage has yet."""

import sys

import pytest

from tests.spec.checks import CHECKS
from tests.spec.concurrency import holds_5000_idle
from tests.spec.stages import ASKED_STEPS, FOR_APPLICATIONS, LESSONS, MANNERS, PROPERTIES
from tests.spec.subject import Fault, Subject
from tests.spec.wsgi import complete_pep3333, keeps_alive

LOOP = """
import asyncio, os

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\n\\r\\nHello, World!\\n")
    writer.close()

async def main():
    await (await asyncio.start_server(answer, "127.0.0.1", os.environ["PORT"], backlog=5000)
           ).serve_forever()

asyncio.run(main())
"""
THREADS = """
import os, socketserver

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\n\\r\\nHello, World!\\n")

socketserver.ThreadingTCPServer.request_queue_size = 1024
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def module(arguments):
    """A Subject that runs a Python module; PORT is its port, and the application comes last."""
    return Subject(["sh", "-c", f'exec {sys.executable} -m {arguments} "$0"'])


GUNICORN = module("gunicorn.app.wsgiapp -b 127.0.0.1:$PORT -k gthread --log-level warning "
                  "--no-control-socket")
WAITRESS = module("waitress --listen=127.0.0.1:$PORT")


@pytest.mark.parametrize("check", [complete_pep3333, keeps_alive], ids=lambda check: check.__name__)
@pytest.mark.parametrize("subject", [GUNICORN, WAITRESS], ids=["gunicorn", "waitress"])
def test_complete_servers_pass(check, subject):
    check(subject)


def test_event_loop_holds_5000_idle_connections():
    holds_5000_idle(Subject([sys.executable, "-c", LOOP]))


def test_server_with_a_thread_for_each_connection_does_not_pass_for_one():
    with pytest.raises(Fault, match="a process or a thread for each connection"):
        holds_5000_idle(Subject([sys.executable, "-c", THREADS]))


def test_there_is_a_check_for_every_question():
    assert set(CHECKS) == {*PROPERTIES, *FOR_APPLICATIONS, *ASKED_STEPS, *LESSONS, *MANNERS}
