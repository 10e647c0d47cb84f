"""One promise a step, from 2b to 2j and from 3l to 3z: what stages.py says of each.

A check is called with a Trial, a stage and how to start it. It returns if the stage keeps the
promise, and raises Fault, with the evidence, if it does not. Most run an application of
part2/shows.py, as the docstrings of the stages do.
"""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import lab
from tests.spec.stages import STAGES, TRACKS
from tests.spec.subject import Fault, alive, living

SHOWS = "part2.shows:app"
ENVIRON = "wsgiref.simple_server:demo_app"  # it answers with its environ, an entry a line
LINE_UP = TRACKS["The server to use"]
HANDS_OVER = Path(__file__).with_name("hands_over.py")
WITH_OPTIONS = LINE_UP[LINE_UP.index("3u"):]  # before, settings stand in the environment


class CannotTell(Exception):
    """This system does not show what the check has to see; the message says why."""


class Trial:
    """A stage under test, and for how many seconds to wait for what ought to come. With a subject
    that is started instead, and is to be what the stage is.

    serve   a server that stays until the trial is over; checks share it
    start   one for a with block, for those who do it harm
    """

    def __init__(self, stage, patience=20, subject=None):
        self.stage = stage
        self.patience = patience
        self.subject = subject
        self.servers = ExitStack()
        self.running = {}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.servers.close()

    def serve(self, application=SHOWS, **settings):
        key = (application, *sorted(settings.items()))
        if key not in self.running or self.running[key].exit_status is not None:
            self.running[key] = self.servers.enter_context(self.start(application, **settings))
        return self.running[key]

    @contextmanager
    def start(self, application=SHOWS, options=(), workers=1, hang_timeout=0, **settings):
        if self.stage.name in WITH_OPTIONS:
            options = [*options, "--workers", str(workers), "--hang-timeout", str(hang_timeout)]
        else:
            settings.update(WORKERS=workers, HANG_TIMEOUT=hang_timeout)
        arguments = [*options, application]
        start = self.subject.start if self.subject else self.start_stage
        with start(arguments, **settings) as server:
            yield server

    def start_stage(self, arguments, **settings):
        return lab.start_stage(self.stage.name, *arguments, **settings)

    def connect(self, server):
        return lab.connect(server.port, timeout=self.patience)

    def ask(self, server, request):
        return lab.ask(server.port, request, timeout=self.patience)


def put(check, trial):
    """Call a check. To be refused, cut off or left alone is a Fault, where nobody expected it."""
    try:
        check(trial)
    except (OSError, lab.ServerError) as error:
        raise Fault(f"{check.__name__.replace('_', ' ')}: asked of {trial.stage.name}.",
                    "The server starts, and clients are answered.", f"{error}.") from None


def keeps(step):
    """A check as those of checks.py: whether a Subject keeps all that a step promises."""
    def check(subject):
        with Trial(STAGES[step], max(3, subject.patience), subject) as trial:
            for promise in PROMISES[step]:
                put(promise, trial)
    return check


def expect(condition, done, expected, seen):
    if not condition:
        raise Fault(done, expected, str(seen))


def request(line, *headers, body=b""):
    """A request of HTTP/1.1 and nothing after it: line is such as b"GET /"."""
    head = [line + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *headers, b"", body]
    return b"\r\n".join(head)


def nothing_came(connection):
    """Whether neither a byte nor the end of the connection lies there to be read."""
    return not select.select([connection], [], [], 0)[0]


def read_to_the_end(connection):
    """How many bytes come."""
    size = 0
    while block := connection.recv(1 << 20):
        size += len(block)
    return size


# The complete server.


def environ_has_all_that_the_head_says(trial):
    answer = trial.ask(trial.serve(ENVIRON), request(b"GET /a%20b?c=d", b"X-Probe: 1"))
    for entry in (b"PATH_INFO = '/a b'", b"QUERY_STRING = 'c=d'", b"HTTP_X_PROBE = '1'"):
        expect(entry in answer.body, "A client asked for /a%20b?c=d, with X-Probe: 1.",
               f"environ has {entry.decode()}", answer.body.decode())


def application_reads_the_body(trial):
    """The request comes in three pieces, which end in the middle of the head and of the body."""
    whole = request(b"POST /echo", b"Content-Length: 7", body=b"my body")
    with trial.connect(trial.serve()) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (whole[:20], whole[20:-4], whole[-4:]):
            client.sendall(piece)
            time.sleep(0.02)
        answer = lab.read_until(client, b"no such end")
    expect(b"CONTENT_LENGTH is '7', and the body: my body\n" in answer,
           "A client sent a request with the body 'my body', in three pieces.",
           "The application reads all of it.", answer)


def blocks_go_out_while_the_application_works(trial):
    with trial.start() as server, trial.connect(server) as client:
        client.sendall(request(b"GET /count"))
        came = lab.read_until(client, b"1\n")
        expect(b"5\n" not in came, "A client asked for /count, a line a second.",
               "The first line comes before the last is made.", came)


def write_sends(trial):
    with trial.start() as server, trial.connect(server) as client:
        client.sendall(request(b"GET /write"))
        came = lab.read_until(client, b"one ")
        expect(b"one " in came and b"three" not in came,
               "A client asked for /write, which calls write(), and sleeps.",
               "What write() was given comes at once.", came)


def iterable_is_closed(trial):
    server = trial.serve()
    before = server.stdout.count("closed\n")
    trial.ask(server, request(b"GET /hold"))
    closed = lab.eventually(lambda: server.stdout.count("closed\n") > before, trial.patience)
    expect(closed, "A client asked for /hold.", "close() of its iterable is called.",
           server.stdout[-200:])


def late_failure_ends_the_body(trial):
    body = trial.ask(trial.serve(), request(b"GET /fail")).body
    expect(b"this goes well" in body and b"nobody" not in body,
           "A client asked for /fail, which calls start_response again when its head is out.",
           "Its own error is raised there, and its body ends.", body)


def date_is_true(trial):
    date = trial.ask(trial.serve(), request(b"GET /pid")).headers["date"]
    seconds = abs(datetime.now(timezone.utc) - parsedate_to_datetime(date)).total_seconds()
    expect(seconds < 600, "A client looked at the header Date.", "The time.", date)


def response_says_its_length(trial):
    answer = trial.ask(trial.serve(), request(b"GET /pid"))
    told = answer.headers.get("content-length")
    expect(told == str(len(answer.body)), "A client asked for /pid, whose body is a list.",
           f"Content-Length: {len(answer.body)}.",
           f"Content-Length: {told}." if told else "There is no Content-Length.")


def head_has_no_body(trial):
    answer = trial.ask(trial.serve(), request(b"HEAD /blocks"))
    expect(answer.status == 200 and not answer.body, "A client sent HEAD /blocks.",
           "A head, and no body.", answer.body)


def chunks_are_put_together(trial):
    body = bytes(range(256)) * 4096 * 3
    data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece)
                    for piece in (body[:5], body[5:1_000_000], body[1_000_000:]))
    answer = trial.ask(trial.serve(), request(b"POST /echo", b"Transfer-Encoding: chunked",
                                              body=data + b"0\r\n\r\n"))
    expect(answer.body.endswith(b"and the body: " + body + b"\n"),
           "A client sent 3 MB in chunks.", "The application reads 3 MB.",
           f"{len(answer.body)} bytes came back, {answer.body[:80]} ...")


def client_is_told_to_go_on(trial):
    whole = request(b"POST /echo", b"Content-Length: 7", b"Expect: 100-continue", body=b"my body")
    with trial.connect(trial.serve()) as client:
        client.sendall(whole[:-7])
        interim = lab.read_until(client, b"\r\n\r\n")
        expect(interim == b"HTTP/1.1 100 Continue\r\n\r\n",
               "A client waits with its body, as Expect: 100-continue says.", "100 Continue.",
               interim)
        client.sendall(whole[-7:])
        answer = lab.read_until(client, b"no such end")
        expect(b"and the body: my body" in answer, "It sent its body then.", "The answer.", answer)


def header_must_match_the_grammar(trial):
    answer = trial.ask(trial.serve(), request(b"GET /pid", b"Bad Name: 1"))
    expect(answer.status == 400, "A client sent a header with a blank in its name.",
           "400 Bad Request.", answer.data[:200])


def target_may_name_the_host(trial):
    answer = trial.ask(trial.serve(ENVIRON), request(b"GET http://example.com/a"))
    for entry in (b"HTTP_HOST = 'example.com'", b"PATH_INFO = '/a'"):
        expect(entry in answer.body, "A client asked for http://example.com/a, as of a proxy.",
               f"environ has {entry.decode()}", answer.body.decode())


def length_and_chunks_are_refused(trial):
    answer = trial.ask(trial.serve(), request(
        b"POST /echo", b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"))
    expect(answer.status == 400, "A client sent a length, and chunks as well.",
           "400 Bad Request: a proxy may find another end of the body.", answer.data[:200])


def header_cannot_split_the_response(trial):
    answer = trial.ask(trial.serve(), request(b"GET /split"))
    expect(answer.status == 500 and b"Set-Cookie" not in answer.data,
           "A client asked for /split, which has a line end in a header.",
           "500, and no header that was hidden in another.", answer.data[:300])


def answer_arrives_in_spite_of_unread_data(trial):
    """Its client sends more than it has announced, and reads late."""
    body = b"a" * 1_000_000
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(trial.patience)
        client.connect(("127.0.0.1", trial.serve().port))
        client.sendall(request(b"POST /echo", b"Content-Length: 1000000", body=body))
        client.sendall(b"and more " * 30_000)
        lab.eventually(lambda: client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0.2)
        came = read_to_the_end(client)
    expect(came > len(body), "A client sent more than it had announced, and read its answer late.",
           "The answer comes to its end, a megabyte.", f"{came} bytes.")


def silent_client_is_given_up(trial):
    with trial.connect(trial.serve(TIMEOUT=1)) as client:
        came = lab.read_until(client, b"no such end")
    expect(came == b"", "A client connected and was silent, with TIMEOUT=1.", "The end.", came)


def half_a_head_is_late(trial):
    with trial.connect(trial.serve(TIMEOUT=1)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        came = lab.read_until(client, b"no such end")
    expect(came.startswith(b"HTTP/1.1 408 "), "A client sent half a head, with TIMEOUT=1.",
           "408 Request Timeout.", came)


# The server to use.


def request_may_come_in_pieces(trial):
    """After another has been served, the server has seen the first piece."""
    with trial.start() as server, trial.connect(server) as client:
        client.sendall(b"GET /pid HTTP/1.1\r\n")
        trial.ask(server, request(b"GET /pid"))
        expect(nothing_came(client), "A client sent the first line of a request.",
               "The server waits for the rest.", "It answered, or hung up.")
        client.sendall(b"Host: localhost\r\nConnection: close\r\n\r\n")
        came = lab.read_until(client, b"no such end")
        expect(b" 200 OK" in came, "It sent the rest.", "An answer.", came)


def a_long_answer_holds_up_nobody(trial):
    with trial.start(TIMES=1_000_000) as server, trial.connect(server) as client:
        client.sendall(request(b"GET /"))
        begin = client.recv(1000)
        other = trial.ask(server, request(b"GET /"))
        came = len(begin) + read_to_the_end(client)
    expect(len(other.body) == 14_000_000 and came == len(other.data),
           "A client read slowly, and another came; TIMES=1000000.", "14 MB for each of them.",
           f"{came} and {len(other.data)} bytes.")


def nobody_waits_for_another(trial):
    """One is silent, one sends half a body, one reads slowly: 50 MB and a head in the end."""
    with trial.start() as server, ExitStack() as stack:
        silent, half, slow = [stack.enter_context(trial.connect(server)) for _ in range(3)]
        half.sendall(request(b"POST /echo", b"Content-Length: 4", body=b"bo"))
        slow.sendall(b"GET /big HTTP/1.0\r\n\r\n")
        begin = slow.recv(1000)
        answer = trial.ask(server, request(b"GET /pid"))
        expect(answer.status == 200, "One client is silent, one sends half a body, one reads "
               "slowly; another came.", "It is served.", answer)
        half.sendall(b"dy")
        came = lab.read_until(half, b"no such end")
        expect(b"and the body: body" in came, "Half a body, and later the rest.", "Both.", came)
        size = len(begin) + read_to_the_end(slow)
        expect(50 << 20 < size < (50 << 20) + 1000, "The slow one read on.", "50 MB.", size)


def connection_stays_open(trial):
    """Two requests in one piece: what follows the first is not thrown away."""
    with trial.connect(trial.serve()) as client:
        client.sendall(b"GET /blocks HTTP/1.1\r\nHost: localhost\r\n\r\n"
                       + request(b"GET /pid"))
        came = lab.read_until(client, b"no such end")
    first, _, second = came.partition(b"two\n")
    expect(first.startswith(b"HTTP/1.1 200 OK") and b"HTTP/1.1 200 OK" in second,
           "A client asked twice on one connection.", "Two answers, in order.", came)


def blocks_go_in_chunks(trial):
    with trial.connect(trial.serve()) as client:
        client.sendall(b"GET /blocks HTTP/1.1\r\nHost: localhost\r\n\r\n")
        came = lab.read_until(client, b"0\r\n\r\n")
    expect(came.endswith(b"\r\n\r\n4\r\none \r\n4\r\ntwo\n\r\n0\r\n\r\n"),
           "A client asked for /blocks, of a length that nobody has counted.",
           "The blocks in chunks, and a chunk of size 0.", came)


def crowd_is_late_and_not_lost(trial):
    """None of them leaves; room for others is there when the time of those who are in is over."""
    with trial.start(files=64, TIMEOUT=0.5) as server, ExitStack() as stack:
        clients = [stack.enter_context(trial.connect(server)) for _ in range(128)]
        for client in clients:
            client.sendall(b"GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for number, client in enumerate(clients):
            came = lab.read_until(client, b"\r\n\r\n")
            expect(b" 200 OK" in came, "128 clients came, and 64 descriptors are there.",
                   "All are answered.", f"Number {number + 1} got {came}. {server.stderr[-500:]}")


def killed_worker_is_replaced(trial):
    with trial.start(workers=2) as server:
        old = workers_of(server, 2, trial)
        os.kill(min(old), signal.SIGKILL)
        new = lab.eventually(lambda: is_replaced(server, old), trial.patience)
        expect(new, "One of two workers was killed.", "Another takes its place.",
               lab.children(server.pid))
        answer = trial.ask(server, request(b"GET /pid"))
        expect(answer.status == 200, "Then a client asked.", "An answer.", answer)


def is_replaced(server, old):
    """Whether there are as many workers as before, and one that is new."""
    now = pids_of_workers(server)
    return len(now) == len(old) and now != old


def pids_of_workers(server):
    return {child.pid for child in alive(lab.children(server.pid))}


def workers_of(server, number, trial):
    """The PIDs of its workers, when there are so many."""
    found = lab.eventually(lambda: len(pids_of_workers(server)) == number, trial.patience)
    expect(found, f"The server was started with {number} workers.", f"{number} children.",
           lab.children(server.pid))
    return pids_of_workers(server)


def workers_leave_with_the_master(trial):
    with trial.start(workers=2) as server:
        workers_of(server, 2, trial)
        server.process.kill()
        server.wait_until_dead()
        expect(lab.eventually(lambda: not living(server), trial.patience),
               "The master was killed.", "Its workers leave as well.", living(server))


def stop_finishes_what_is_in_flight(trial):
    with trial.start() as server:
        with trial.connect(server) as client:
            client.sendall(request(b"GET /write"))
            came = lab.read_until(client, b"one ")
            server.process.terminate()
            came += lab.read_until(client, b"no such end")
        expect(b"three\n" in came, "The server was told to stop while it sent an answer.",
               "The answer comes to its end.", came)
        expect(server.wait_until_dead() == 0, "It was told to stop.", "Status 0.",
               server.exit_status)


def successor_has_new_code(trial):
    with own_application('SAYS = "old"') as (folder, application), \
            trial.start(application, cwd=folder, PYTHONDONTWRITEBYTECODE=1) as server:
        answer = trial.ask(server, request(b"GET /"))
        expect(answer.body == b"old", "A client asked.", "The application's answer.", answer)
        write_application(folder, 'SAYS = "new"')
        for worker in workers_of(server, 1, trial):
            os.kill(worker, signal.SIGKILL)
        answer = trial.ask(server, request(b"GET /"))
        expect(answer.body == b"new", "The application was changed, and its worker killed.",
               "Its successor has the new code.", answer.body)


@contextmanager
def own_application(first_line):
    """An application in a folder of its own: the folder, and its name."""
    with tempfile.TemporaryDirectory() as folder:
        write_application(folder, first_line)
        yield folder, "own:app"


def write_application(folder, first_line):
    """Where both are there at once: no worker shall read half of it."""
    draft, file = Path(folder, "draft"), Path(folder, "own.py")
    draft.write_text(f"{first_line}\n\n\ndef app(environ, start_response):\n"
                     '    start_response("200 OK", [])\n    return [SAYS.encode()]\n')
    draft.replace(file)


def what_cannot_be_loaded_is_said_once(trial):
    command = lab.stage_command(trial.stage.name, "part2.nothing:app")
    done = subprocess.run(command, cwd=lab.PROJECT, capture_output=True, text=True, timeout=30,
                          env={**os.environ, "PORT": str(lab.free_port()), "WORKERS": "4"})
    expect(done.returncode == 1 and done.stderr.count("Cannot load part2.nothing:app") == 1,
           "The server was started with an application that is not there.",
           "It says so once, and ends with status 1.", f"{done.returncode}: {done.stderr}")


def tries_come_ever_more_slowly(trial):
    """Each start notes the time; from the second try to the fifth it waits 0.2, 0.4, 0.8 s."""
    with own_application('SAYS = "well"') as (folder, application), \
            trial.start(application, cwd=folder, PYTHONDONTWRITEBYTECODE=1) as server:
        tries = Path(folder, "tries")
        write_application(folder, f"import time\nopen({str(tries)!r}, 'a').write("
                          "f'{time.monotonic()}\\n')\nraise SystemExit")
        tries.touch()
        for worker in workers_of(server, 1, trial):
            os.kill(worker, signal.SIGKILL)
        lab.eventually(lambda: tries.read_text().count("\n") >= 5, 20)
        times = [float(line) for line in tries.read_text().split("\n")[:5]]
        expect(len(times) == 5 and times[4] - times[1] > 1.3,
               "The application fails at each start.", "The pauses between the tries grow.", times)


def master_outlives_a_fork_that_fails(trial):
    """Its limit of processes is lowered under its feet, and raised again."""
    if not shutil.which("prlimit"):
        raise CannotTell("There is no prlimit here, to change the limits of one that runs.")
    with trial.start(processes=50) as server:
        workers = workers_of(server, 1, trial)
        limits = Path(f"/proc/{server.pid}/limits").read_text()
        limit_processes(server, 0)
        os.kill(min(workers), signal.SIGKILL)
        expect(lab.eventually(lambda: "Cannot fork" in server.stderr, trial.patience),
               "A worker died, and no process was to be had.", "The master says so, and waits.",
               server.stderr[-500:])
        limit_processes(server, re.search(r"Max processes +(\d+)", limits)[1])
        answer = trial.ask(server, request(b"GET /pid"))
        expect(answer.status == 200, "Then there were processes again.", "Another worker.", answer)


def limit_processes(server, number):
    """As the user whom the server runs under: root itself may not be allowed to."""
    owner, user = os.stat(f"/proc/{server.pid}"), {}
    if os.geteuid() == 0:
        user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    subprocess.run(["prlimit", "--pid", str(server.pid), f"--nproc={number}:"], check=True, **user)


def hang_is_found(trial):
    with trial.start(workers=2, hang_timeout=1) as server, trial.connect(server) as client:
        old = workers_of(server, 2, trial)
        client.sendall(request(b"GET /sleep"))
        said = lab.eventually(lambda: re.search(r"shows.py.* in sleep", server.stderr),
                              trial.patience)
        expect(said, "An application sleeps for 5 s, and a worker may hang for 1 s.",
               "The server says where.", server.stderr)
        expect(lab.eventually(lambda: is_replaced(server, old), trial.patience),
               "A worker hung.", "Another takes its place.", lab.children(server.pid))


def reload_refuses_nobody(trial):
    with trial.start(workers=2) as server:
        old = workers_of(server, 2, trial)
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + trial.patience
        while pids_of_workers(server) & old and time.monotonic() < deadline:
            answer = trial.ask(server, request(b"GET /pid"))
            expect(answer.status == 200, "The server got a SIGHUP, and clients came.",
                   "All are answered.", f"{answer} {server.stderr[-300:]}")
        expect(not old & workers_of(server, 2, trial), "The server got a SIGHUP.",
               "Two new workers.", lab.children(server.pid))


def help_and_nonsense(trial):
    told = command_line(trial, "--help")
    expect(told.returncode == 0 and "--workers N" in told.stdout, "--help.", "The options.", told)
    told = command_line(trial, "--workers", "many", SHOWS)
    expect(told.returncode == 1 and "many" in told.stderr and told.stderr.count("\n") == 1,
           "--workers many.", "A line that says what is wrong.", told)


def command_line(trial, *arguments):
    return subprocess.run(lab.stage_command(trial.stage.name, *arguments), cwd=lab.PROJECT,
                          capture_output=True, text=True, timeout=30)


def option_says_where_to_listen(trial):
    port = lab.free_port()
    with trial.start(options=["--bind", f"127.0.0.1:{port}"], port=port, PORT="1") as server:
        answer = trial.ask(server, request(b"GET /pid"))
        expect(answer.status == 200, "--bind named a port.", "It listens there.", answer)


def unix_client_is_served(trial):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        with lab.Server(lab.stage_command(trial.stage.name, "--bind", f"unix:{path}", SHOWS),
                        honest=True) as server:
            lab.eventually(lambda: path in server.stdout or server.stderr, trial.patience)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(trial.patience)
                client.connect(path)
                client.sendall(request(b"GET /pid"))
                came = lab.read_until(client, b"no such end")
        expect(b" 200 " in came, f"--bind unix:{path}, and a client there.", "An answer.", came)
        expect(not os.path.exists(path), "The server was stopped.", "Its file is gone.", path)


def ipv6_client_is_served(trial):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        raise CannotTell(f"There is no IPv6 here: {error}.") from None
    with trial.start(options=["--bind", "[::1]:0"]) as server:
        answer = lab.ask(server.port, request(b"GET /pid"), host="::1", timeout=trial.patience)
        expect(answer.status == 200, "--bind [::1]:0, and a client there.", "An answer.", answer)


def socket_is_handed_over(trial):
    command = hand_over("tcp", lab.stage_command(trial.stage.name, SHOWS))
    with lab.start(command, honest=True, within=trial.patience) as server:
        said, port = re.search(r"Handed over: port (\d+)\n", server.stderr), server.port
        expect(int(said[1]) == port, "The server was started with a socket that listens.",
               "It serves on that one.", f"It serves on port {port}, but {said[0]}")
        answer = trial.ask(server, request(b"GET /pid"))
        expect(answer.status == 200, "A client came to that socket.", "An answer.", answer)


def hand_over(kinds, command, *options):
    """The command, behind one that hands sockets of these kinds over to it."""
    return [sys.executable, str(HANDS_OVER), *options, kinds, *command]


def request_has_a_line(trial):
    server = trial.serve()
    trial.ask(server, request(b"GET /%1b"))
    trial.ask(server, request(b"GET /\x1b[2J"))
    for line in (r"127.0.0.1 'GET /%1b HTTP/1.1' 200", r"127.0.0.1 'GET /\x1b[2J HTTP/1.1' 400"):
        said = lab.eventually(lambda line=line: line + "\n" in server.stdout, trial.patience)
        expect(said, "A client asked for that.", line, server.stdout[-500:])


def aborted_request_has_a_line(trial):
    """/write has sent a word, and sleeps; its client is gone when it wakes."""
    server = trial.serve()
    client = trial.connect(server)
    client.sendall(request(b"GET /write"))
    lab.read_until(client, b"one ")
    lab.reset(client)
    line = "127.0.0.1 'GET /write HTTP/1.1' 200 aborted\n"
    expect(lab.eventually(lambda: line in server.stdout, trial.patience),
           "A client left in the middle of its answer.", line, server.stdout[-500:])


def sleeping_application_holds_up_nobody(trial):
    """/write has sent a word, and sleeps for two seconds."""
    with trial.start(options=["--threads", "2"]) as server, trial.connect(server) as client:
        client.sendall(request(b"GET /write"))
        lab.read_until(client, b"one ")
        answer = trial.ask(server, request(b"GET /pid"))
        expect(answer.status == 200 and nothing_came(client),
               "With one worker and two threads, one client's application sleeps, and another "
               "client came.", "It is served meanwhile.", answer)
        came = lab.read_until(client, b"no such end")
        expect(b"three\n" in came, "The first waited on.", "The end of its answer.", came)


def three_system_calls_a_request(trial, requests=200):
    if not shutil.which("strace"):
        raise CannotTell("There is no strace here.")
    with trial.start("part2.wsgiapp:app", options=["--quiet"]) as server, \
            tempfile.NamedTemporaryFile("r") as report:
        worker = min(workers_of(server, 1, trial))
        tracer = subprocess.Popen(["strace", "-f", "-o", report.name, "-p", str(worker)],
                                  stderr=subprocess.PIPE, text=True)
        said = tracer.stderr.readline()
        if "attached" not in said:
            tracer.wait()
            raise CannotTell(f"strace may not look at a process here: {said}")
        ask_often(trial, server, requests)
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
        calls = [line for line in report if "resumed" not in line]
    expect(len(calls) < 3.5 * requests, f"One client asked {requests} times.",
           "Three system calls each: wait, receive, send.",
           f"{len(calls) / requests:.1f} each, such as {''.join(calls[100:110])}")


def ask_often(trial, server, requests):
    with trial.connect(server) as client:
        for _ in range(requests):
            client.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
            lab.read_until(client, b"!\n")


def second_time_costs_less(trial):
    """Calls of functions a request, as tests/calls.py counts them inside the server."""
    def calls_of(number):
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n"
                       + b"".join(b"X-%d: %d\r\n" % (name, number) for name in range(8)) + b"\r\n")
        came = lab.read_until(client, b" calls\n")
        return int(re.search(rb"(\d+) calls\n", came)[1])

    with trial.connect(trial.serve("tests.apps.calls:app")) as client:
        new = [calls_of(number) for number in range(12)]
        same = [calls_of(11) for _ in range(12)]
    middle = sorted(same)[6], sorted(new)[6]
    expect(middle[0] < 0.7 * middle[1], "A client asked with heads that are new, and with one that "
           "is not.", "That costs less.", f"{middle[0]} calls instead of {middle[1]}.")


PROMISES = {
    "2b": [environ_has_all_that_the_head_says],
    "2c": [application_reads_the_body],
    "2d": [blocks_go_out_while_the_application_works, write_sends],
    "2e": [iterable_is_closed, late_failure_ends_the_body, date_is_true],
    "2f": [response_says_its_length, head_has_no_body],
    "2g": [chunks_are_put_together, client_is_told_to_go_on],
    "2h": [header_must_match_the_grammar, target_may_name_the_host],
    "2i": [length_and_chunks_are_refused, header_cannot_split_the_response,
           answer_arrives_in_spite_of_unread_data],
    "2j": [silent_client_is_given_up, half_a_head_is_late],
    "3l": [request_may_come_in_pieces, a_long_answer_holds_up_nobody],
    "3m": [nobody_waits_for_another],
    "3n": [connection_stays_open, blocks_go_in_chunks],
    "3o": [silent_client_is_given_up, half_a_head_is_late, crowd_is_late_and_not_lost],
    "3p": [killed_worker_is_replaced, workers_leave_with_the_master],
    "3q": [stop_finishes_what_is_in_flight],
    "3r": [successor_has_new_code, what_cannot_be_loaded_is_said_once],
    "3s": [tries_come_ever_more_slowly, master_outlives_a_fork_that_fails, hang_is_found],
    "3t": [reload_refuses_nobody],
    "3u": [help_and_nonsense, option_says_where_to_listen],
    "3v": [unix_client_is_served, ipv6_client_is_served, socket_is_handed_over],
    "3w": [request_has_a_line, aborted_request_has_a_line],
    "3x": [sleeping_application_holds_up_nobody],
    "3y": [three_system_calls_a_request],
    "3z": [second_time_costs_less],
}

NOT_NEW = [what_cannot_be_loaded_is_said_once]  # where the master loads it, it is said once as well
