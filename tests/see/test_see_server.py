"""make see, without its page: what it sees, what it does, whom it refuses, and how it ends.

A page is only one that asks; these tests ask instead of it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from http.client import HTTPConnection

import psutil
import pytest

import lab

pytestmark = pytest.mark.timeout(240)
STARTING = 40  # seconds, on a busy machine
SOON = 30


class Seen:
    """A run of `python -m see`, and a page that asks it."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "see", "--no-browser", *arguments], cwd=lab.PROJECT,
            env={**os.environ, "PYTHONPATH": str(lab.PROJECT / "notebooks")},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,  # and it heeds a hangup, also where nohup has started us
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
        self.port = self.token = self.run = None

    def wait_until_ready(self):
        line = self.process.stdout.readline()
        assert "http://localhost:" in line, f"No address in {line!r}. {self.process.stderr.read()}"
        self.port = int(re.search(r"http://localhost:(\d+)", line)[1])
        [self.run] = {run for child in psutil.Process(self.process.pid).children()
                      if (run := child.environ().get("SEE_RUN"))}
        page = self.ask("GET", "/")[1]
        self.token = re.search(r'name="token" content="(\w+)"', page)[1]
        self.wait_for(lambda server: server["running"] and server["queue"], within=STARTING)
        return self

    def ask(self, method, path, body=None, **headers):
        """(status, text); Host is what a browser would say."""
        given = {"Host": f"localhost:{self.port}", "Content-Type": "application/json"}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=SOON)) as connection:
            connection.request(method, path, body, given)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def do(self, action, **wish):
        """What was done; asserts that it was."""
        status, text = self.wish(action=action, **wish)
        assert status == 200, f"{action} {wish}: {text}"
        return json.loads(text)["done"]

    def wish(self, **wish):
        return self.ask("POST", "/do", json.dumps(wish), X_Token=self.token)

    def moments(self):
        """All that were written down."""
        found, last = [], 1
        while not found or found[-1]["number"] < last:
            after = found[-1]["number"] if found else 0
            answer = json.loads(self.ask("GET", f"/moments?page=test&after={after}")[1])
            found, last = found + answer["moments"], answer["last"]
        return found

    def now(self, place=0):
        """A server as it was seen last; None if there is none yet."""
        servers = self.moments()[-1]["servers"]
        return servers[place] if len(servers) > place else None

    def wait_for(self, condition, place=0, within=SOON):
        """The server as soon as it is so."""
        def look():
            server = self.now(place)
            return server if server and condition(server) else None

        found = lab.eventually(look, within, 0.1)
        assert found, f"Not within {within} s. Seen last: {self.now(place)}"
        return found

    def left(self):
        """What still runs of all that this run has started."""
        return [pid for pid in psutil.pids() if self.is_of_this_run(pid)]

    def is_of_this_run(self, pid):
        with suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            return (process.environ().get("SEE_RUN") == self.run
                    and process.status() != psutil.STATUS_ZOMBIE)
        return False

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=SOON)


@pytest.fixture
def see():
    """see("--stage", "3d") starts it and waits until all is there. It ends with the test."""
    started = []

    def see(*arguments):
        started.append(Seen(*arguments))
        return started[-1].wait_until_ready()

    yield see
    for seen in started:
        seen.end()
        assert lab.eventually(lambda seen=seen: not seen.left(), SOON), seen.left()


def living(server, role="child"):
    return [one for one in server["processes"] if one["role"] == role and one["state"] != "zombie"]


def parent(server):
    [one] = [one for one in server["processes"] if one["role"] == "parent"]
    return one


def says(server, words):
    return any(words in sentence for sentence in server["sentences"])


# What it sees

def test_shows_what_the_kernel_knows(see):
    seen = see("--stage", "3c", "--delay", "600")
    seen.do("clients", kind="one", count=1)
    server = seen.wait_for(
        lambda server: living(server) and living(server)[0]["call"] == "sleep"
        and server["connections"] and server["connections"][0]["client_state"]
        and server["requests"][0]["first_byte"])
    [child] = living(server)
    assert lab.children(server["pid"]) == [lab.process(child["pid"])]
    for one in (parent(server), child):
        assert {held["number"]: held["words"] for held in one["descriptors"]} \
            == lab.descriptors(one["pid"])
    [connection] = server["connections"]
    assert connection["held_by"] == [child["pid"]]
    assert connection["inode"] in {held["inode"] for held in child["descriptors"]
                                   if held["kind"] == "connection"}
    assert (connection["state"], connection["client_state"]) == ("ESTABLISHED", "ESTABLISHED")
    assert [held["number"] for held in parent(server)["descriptors"]
            if held["kind"] == "listening"] == [3]
    [request] = server["requests"]
    assert request["status"] == 200
    assert ["127.0.0.1", request["port"]] == connection["foreign"]
    assert request["client"] == connection["client"]
    assert request["began"] <= request["connected"] <= request["first_byte"]
    assert request["end"] is None


def test_128_leave_zombies_on_3f_and_none_on_3g(see):
    seen = see("--stage", "3f", "--delay", "1")
    seen.do("clients", kind="crowd", count=128)
    server = seen.wait_for(lambda server: says(server, "zombies stay"), within=50)
    zombies = [one for one in server["processes"] if one["state"] == "zombie"]
    assert sorted(one["pid"] for one in zombies) == [
        one.pid for one in lab.zombies(server["pid"])]
    assert server["counts"]["zombies"] == len(zombies) > 0
    assert says(server, "Signals are not queued")
    seen.do("stage", name="3g")
    seen.wait_for(lambda server: server["name"] == "3g" and server["running"] and server["queue"])
    seen.do("clients", kind="crowd", count=128)
    server = seen.wait_for(lambda server: server["counts"]["reaped"] == 128, within=50)
    assert server["counts"]["zombies"] == 0
    assert says(server, "each of the 128 children")
    names = [moment["servers"][0]["name"] for moment in seen.moments() if moment["servers"]]
    assert names == sorted(names), "first the one, then the other, and both are in the recording"
    assert set(names) == {"3f", "3g"}


@pytest.mark.thorough
def test_one_bit_for_many_deaths(see):
    seen = see("--stage", "3f", "--delay", "2")
    seen.do("clients", kind="crowd", count=20)
    seen.wait_for(lambda server: len(living(server)) == 20
                  and server["counts"]["descriptors"] == 4)
    seen.do("freeze")
    server = seen.wait_for(lambda server: server["counts"]["zombies"] == 20)
    assert server["frozen"]
    assert parent(server)["state"] == "stopped"
    assert parent(server)["pending"] == ["SIGCHLD"]
    assert says(server, "20 children have ended, and SIGCHLD is pending once")
    assert not says(server, "never waited"), "it cannot: it is stopped"
    seen.do("go on")
    server = seen.wait_for(lambda server: says(server, "19 zombies stay"))
    assert not server["frozen"]
    assert parent(server)["pending"] == []


def test_the_queue_and_those_outside(see):
    seen = see("--stage", "3b", "--delay", "600")
    seen.do("clients", kind="crowd", count=12)
    queue = {"waiting": 6, "backlog": 5, "outside": 5}
    server = seen.wait_for(lambda server: server["queue"] == queue)
    assert says(server, "The server sleeps. 6 clients wait in the queue")
    assert says(server, "The queue is full. 5 clients stand outside")
    assert len(server["connections"]) == 12
    assert [request["status"] for request in server["requests"]].count(200) == 1


def test_kept_copies_and_the_end_of_the_descriptors(see):
    seen = see("--stage", "3d", "--delay", "0", "--limits")
    seen.do("clients", kind="crowd", count=3)
    server = seen.wait_for(lambda server: says(server, "keeps its copy of 3 connections"))
    assert server["counts"]["descriptors"] == 7
    server = seen.wait_for(lambda server: says(server, "never waited: these 3 are zombies."))
    seen.do("clients", kind="crowd", count=300)
    server = seen.wait_for(lambda server: server["exit_status"] is not None)
    assert says(server, "no descriptor left")
    seen.do("restart")
    seen.wait_for(lambda server: server["running"] and server["queue"])


def test_children_too_quick_for_a_look_are_known_from_the_log(see):
    seen = see("--stage", "3g", "--delay", "0")

    def from_the_log():
        seen.do("clients", kind="one", count=1)
        return [one for moment in seen.moments() for server in moment["servers"]
                for one in server["processes"] if one["seen"] == "log"]

    found = lab.eventually(from_the_log, SOON, 0.2)
    assert found, "twenty clients and more, and no child lived between two looks"
    assert (found[0]["role"], found[0]["was"], found[0]["exit_status"]) == ("gone", "child", 0)
    assert found[0]["reaped"]


def test_a_child_that_was_reaped_is_gone_with_its_status(see):
    seen = see("--stage", "3g", "--delay", "600")
    seen.do("clients", kind="one", count=1)
    server = seen.wait_for(living)
    [child] = living(server)
    seen.do("kill", pid=child["pid"])
    server = seen.wait_for(lambda server: [one for one in server["processes"]
                                           if one["role"] == "gone" and one["exit_status"]])
    [gone] = [one for one in server["processes"] if one["role"] == "gone"]
    assert (gone["pid"], gone["was"], gone["exit_status"]) == (child["pid"], "child", -9)
    assert gone["reaped"]
    assert gone["killed"] == "living"


def test_where_sigchld_is_ignored_nobody_has_waited(see, folder):
    """The kernel buries the children by itself then, and so it is not said that the parent did."""
    program = folder / "ignores.py"
    code = (lab.PROJECT / "part3/webserver3c.py").read_text()
    program.write_text(code.replace("def main():\n", "def main():\n    signal.signal("
                                    "signal.SIGCHLD, signal.SIG_IGN)\n"))
    seen = see("--server", f"{sys.executable} {program}", "--delay", "1")
    assert "SIGCHLD" in parent(seen.now())["ignored"]
    seen.do("clients", kind="crowd", count=3)
    seen.wait_for(lambda server: len([one for one in server["processes"]
                                      if one["role"] == "gone"]) == 3)
    server = seen.now()
    assert server["counts"]["reaped"] == 0
    assert not says(server, "waited")


def test_a_worker_that_is_killed_is_replaced(see):
    seen = see("--stage", "3j")
    server = seen.wait_for(lambda server: len(living(server, "worker")) == 4)
    assert says(server, "4 workers")
    seen.do("kill", pid=living(server, "worker")[0]["pid"])
    seen.wait_for(lambda server: says(server, "was killed. The parent waited for it, and forked"))


def test_a_stage_that_does_not_sleep_has_no_delay(see):
    seen = see("--stage", "3k")
    assert seen.now()["delay"] is None
    status, text = seen.wish(action="delay", seconds=1)
    assert (status, json.loads(text)["error"]) == (
        409, "This server does not sleep: it has no DELAY.")


@pytest.mark.thorough
def test_clients_of_every_kind(see):
    seen = see("--stage", "3c", "--delay", "0")
    for kind in ("one", "held", "silent", "slow", "reset"):
        seen.do("clients", kind=kind, count=1)
    seen.wait_for(lambda server: server["counts"]["asked"] == 5
                  and server["counts"]["clients"] == 2 and server["counts"]["served"] >= 3)
    requests = {request["kind"]: request for request in seen.now()["requests"]}
    assert requests["one"]["status"] == requests["slow"]["status"] == 200
    assert requests["held"]["end"] is not None, "the server has closed"
    assert requests["held"]["open"], "and the client has not"
    assert requests["silent"]["first_byte"] is None
    assert requests["silent"]["open"]
    assert not requests["reset"]["open"]
    seen.do("hang up")
    seen.wait_for(lambda server: server["counts"]["clients"] == 0)


@pytest.mark.thorough
def test_a_slow_client_takes_its_time(see):
    """The server of 2c waits for the whole head, and whoever comes next waits with it."""
    seen = see("--stage", "2c")
    seen.do("clients", kind="slow", count=1)
    seen.wait_for(lambda server: server["requests"]
                  and server["requests"][0]["connected"] is not None)
    seen.do("clients", kind="one", count=1)
    seen.wait_for(lambda server: server["queue"]["waiting"] == 1)
    time.sleep(1)
    assert [request["first_byte"] for request in seen.now()["requests"]] == [None, None]


@pytest.mark.thorough
def test_two_side_by_side_under_the_same_storm(see):
    seen = see("--stage", "3f", "--beside", "3g", "--delay", "1")
    other = seen.wait_for(lambda server: server["running"] and server["queue"], place=1)
    assert other["port"] != seen.now()["port"]
    done = seen.do("clients", kind="crowd", count=60, server="all")
    assert [entry["server"] for entry in done] == ["3f", "3g"]
    seen.wait_for(lambda server: server["counts"]["reaped"] == 60, place=1, within=50)
    assert seen.wait_for(lambda server: says(server, "zombies stay"))["name"] == "3f"
    done = seen.do("delay", server="all", seconds=0.5)
    assert [entry["server"] for entry in done] == ["3f", "3g"]
    for place in 0, 1:
        seen.wait_for(lambda server: server["delay"] == 0.5 and server["queue"], place=place)
    seen.do("alone", server=0)
    seen.wait_for(lambda server: server["name"] == "3g")
    assert len(seen.moments()[-1]["servers"]) == 1


def test_the_application_is_the_reader_s_choice(see):
    seen = see("--stage", "2", "--app", "part2.flaskapp:app")
    assert seen.now()["command"].endswith("python part2/webserver2.py part2.flaskapp:app")
    seen.do("clients", kind="one", count=1)
    seen.wait_for(lambda server: server["requests"] and server["requests"][0]["status"] == 200)


def test_all_stages_can_be_chosen_those_of_the_series_first(see_once):
    stages = json.loads(see_once.ask("GET", "/stages")[1])
    names = [stage["name"] for stage in stages]
    assert names[:10] == ["1", "2", "3a", "3b", "3c", "3d", "3e", "3f", "3g", "3h"]
    assert len(names) == len(set(names)) == len(list(lab.PROJECT.glob("part?/webserver*.py")))
    assert all(stage["idea"].endswith(".") for stage in stages)


def test_a_server_of_the_reader_s_own(see, folder):
    program = folder / "mine.py"
    program.write_text((lab.PROJECT / "part3/webserver3c.py").read_text())
    seen = see("--server", f"{sys.executable} {program}", "--delay", "0.5")
    assert seen.now()["name"] == "your server"
    seen.do("clients", kind="one", count=1)
    seen.wait_for(lambda server: says(server, "this is a zombie"))
    seen.do("stage", name="3g")
    seen.wait_for(lambda server: server["name"] == "3g" and server["running"])
    seen.do("stage", name="")
    seen.wait_for(lambda server: server["name"] == "your server" and server["running"])


def test_a_server_that_does_not_start_is_said_on_the_page(see):
    seen = see("--stage", "3c", "--server", f"{sys.executable} -c 'print(6 * 7)'")
    seen.do("stage", name="")
    server = seen.wait_for(lambda server: server["trouble"])
    assert "42" in server["trouble"]
    assert not server["running"]


def test_no_clients_are_sent_where_it_does_not_listen(see):
    """Its port may be somebody else's by then."""
    seen = see("--stage", "3c")
    seen.do("kill", pid=seen.now()["pid"])
    seen.wait_for(lambda server: not server["queue"])
    status, text = seen.wish(action="clients", kind="one", count=1)
    assert (status, "does not listen" in text) == (409, True)
    seen.do("restart")
    seen.do("clients", kind="one", count=1)
    seen.wait_for(lambda server: server["counts"]["served"] == 1)


def test_what_was_done_is_told_with_its_command(see):
    seen = see("--stage", "3c")
    port = seen.now()["port"]
    [entry] = seen.do("clients", kind="crowd", count=10)
    assert entry["command"] == (
        f"for i in $(seq 10); do curl -s localhost:{port}/hello & done; wait")
    [entry] = seen.do("delay", seconds=0.5)
    assert "DELAY=0.5 python part3/webserver3c.py" in entry["command"]
    lab.eventually(lambda: len(seen.moments()[-1]["done"]) == 2)
    assert [entry["words"] for entry in seen.moments()[-1]["done"]] == [
        "10 clients at once", "DELAY is 0.5 s now"]


def test_nothing_new_is_not_written_down(see):
    seen = see("--stage", "3c")
    before = seen.moments()
    time.sleep(3)
    assert len(seen.moments()) <= len(before) + 2


def test_the_recording_can_be_saved(see):
    seen = see("--stage", "3c")
    header, *lines = seen.ask("GET", "/recording")[1].splitlines()
    assert json.loads(header)["version"] == 1
    assert [json.loads(line)["number"] for line in lines] == list(range(1, len(lines) + 1))


# Whom it refuses

@pytest.mark.parametrize("headers", [
    {"Host": "example.org:8889"}, {"Host": "example.org"}, {"Host": "localhost"},
    {"Origin": "http://example.org"}, {"Origin": "null"}, {"Origin": "http://localhost:1"},
    {"X_Token": ""}, {"X_Token": "0" * 32}, {"X_Token": "é"}],
    ids=str)
def test_strangers_are_refused(see_once, headers):
    seen = see_once
    before = seen.now()
    status, text = seen.ask("POST", "/do", json.dumps({"action": "kill", "pid": before["pid"]}),
                            **{"X_Token": seen.token, **headers})
    assert status == 403
    assert "error" in json.loads(text)
    if "X_Token" not in headers:
        assert seen.ask("GET", "/moments", **headers)[0] == 403
        assert seen.ask("GET", "/", **headers)[0] == 403
    assert lab.process(before["pid"]).state == "sleeping"
    assert seen.now()["pid"] == before["pid"]


def test_listens_on_this_machine_only(see_once):
    assert [one.address for one in lab.listeners(see_once.port)] == ["127.0.0.1"]
    assert [one.address for one in lab.listeners(see_once.now()["port"])] == ["127.0.0.1"]


def test_no_other_page_frames_it_or_reads_it(see_once):
    with closing(HTTPConnection("127.0.0.1", see_once.port, timeout=SOON)) as connection:
        connection.request("GET", "/", headers={"Host": f"localhost:{see_once.port}"})
        headers = connection.getresponse().headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("action", ["kill", "freeze"])
def test_signals_nothing_but_its_own(see_once, action):
    with subprocess.Popen(["sleep", "600"]) as stranger:
        strangers = [stranger.pid, -stranger.pid, see_once.process.pid,
                     str(see_once.now()["pid"]), float(see_once.now()["pid"]), None, 0, 10**30]
        answers = [see_once.wish(action=action, pid=pid) for pid in strangers]
        state = lab.process(stranger.pid).state
        stranger.kill()
    assert [status for status, _ in answers] == [409] * len(strangers)
    assert state == "sleeping"
    assert see_once.process.poll() is None


@pytest.mark.parametrize("wish", [
    {}, {"action": None}, {"action": []}, {"action": "eval"}, {"action": "clients"},
    {"action": "clients", "kind": "odd"}, {"action": "clients", "kind": ["one"]},
    {"action": "clients", "kind": "one", "count": 0},
    {"action": "clients", "kind": "one", "count": 10**9},
    {"action": "clients", "kind": "one", "count": True},
    {"action": "clients", "kind": "one", "server": 1},
    {"action": "clients", "kind": "one", "server": -1},
    {"action": "clients", "kind": "one", "server": "0"},
    {"action": "stage", "name": "../../etc"}, {"action": "stage", "name": ""},
    {"action": "stage", "name": None}, {"action": "stage", "name": {}},
    {"action": "stage", "name": {"a": 1}}, {"action": "stage", "name": ["3c"]},
    {"action": "delay", "seconds": -1}, {"action": "delay", "seconds": "nan"},
    {"action": "delay", "seconds": None}, {"action": "delay"}, {"action": "alone"},
    {"action": "beside"}, {"action": "beside", "name": 3}], ids=str)
def test_a_wish_that_makes_no_sense_is_refused_in_a_sentence(see_once, wish):
    pid = see_once.now()["pid"]
    status, text = see_once.wish(**wish)
    assert status == 409, text
    assert json.loads(text)["error"].endswith((".", "..."))
    assert lab.process(pid), "it is still there"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"7", b"\xff"])
def test_what_is_no_wish_is_refused(see_once, body):
    assert see_once.ask("POST", "/do", body, X_Token=see_once.token)[0] == 409
    status, _ = see_once.ask("POST", "/do", b'{"action": "hang up"}', X_Token=see_once.token,
                             Content_Type="text/plain")
    assert status == 409


@pytest.mark.thorough
def test_no_more_pages_than_it_can_serve(see_once):
    statuses = [see_once.ask("GET", f"/moments?page={number}")[0] for number in range(12)]
    assert statuses[-1] == 503
    assert lab.eventually(lambda: see_once.ask("GET", "/moments?page=new")[0] == 200, SOON)


@pytest.fixture(scope="module")
def see_once():
    """One run for all tests that change nothing."""
    seen = Seen("--stage", "3c").wait_until_ready()
    yield seen
    seen.end()


# How it ends

ENDS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "hangup": signal.SIGHUP,
        "kill -9": signal.SIGKILL}


@pytest.mark.thorough
@pytest.mark.parametrize("signum", ENDS.values(), ids=ENDS)
def test_nothing_is_left_however_it_ends(see, signum):
    seen = see("--stage", "3d", "--beside", "3j", "--delay", "600")
    seen.wait_for(lambda server: server["queue"], place=1)
    seen.do("clients", kind="held", count=20, server="all")
    seen.wait_for(lambda server: len(living(server)) == 20)
    seen.do("freeze")
    assert len(seen.left()) > 25
    if signum == signal.SIGINT:
        os.killpg(seen.process.pid, signum)  # as a terminal does
    else:
        seen.process.send_signal(signum)
    seen.process.wait(SOON)
    assert lab.eventually(lambda: not seen.left(), SOON), seen.left()
    assert seen.process.stderr.read().strip() == ""
    if signum in (signal.SIGINT, signal.SIGTERM):
        assert seen.process.returncode == 0, "that is how it is meant to end"


def page_servers(seen):
    """The master and the worker of the page's server."""
    return sorted((pid for pid in seen.left()
                   if "see.web:app" in psutil.Process(pid).cmdline()),
                  key=lambda pid: psutil.Process(pid).create_time())


@pytest.mark.thorough
def test_the_page_s_worker_is_killed(see):
    """What it had started ends with it; its successor starts anew."""
    seen = see("--stage", "3d", "--delay", "600")
    seen.do("clients", kind="held", count=5)
    server = seen.wait_for(lambda server: len(living(server)) == 5)
    family = [one["pid"] for one in server["processes"]]
    _, worker = page_servers(seen)
    os.kill(worker, signal.SIGKILL)
    assert lab.eventually(lambda: not any(psutil.pid_exists(pid) for pid in family), SOON)

    def has_another():
        with suppress(OSError, ValueError):
            return (server := seen.now()) and server["running"] and server["pid"] not in family
        return False

    assert lab.eventually(has_another, STARTING, 0.2)


@pytest.mark.thorough
def test_the_page_s_server_is_killed(see):
    seen = see("--stage", "3d")
    for pid in page_servers(seen):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert seen.process.wait(SOON) == 1
    assert "The page's server has ended by itself." in seen.process.stderr.read()
    assert lab.eventually(lambda: not seen.left(), SOON), seen.left()


@pytest.mark.thorough
def test_all_of_them_are_killed_at_once(see):
    seen = see("--stage", "3d", "--delay", "600")
    seen.do("clients", kind="held", count=5)
    for pid in [seen.process.pid, *page_servers(seen)]:
        os.kill(pid, signal.SIGKILL)
    seen.process.wait(SOON)
    assert lab.eventually(lambda: not seen.left(), SOON), seen.left()


@pytest.mark.thorough
@pytest.mark.parametrize("killed", ["the run", "the page's worker"])
def test_a_server_that_has_left_its_group_ends_too(see, folder, killed):
    """A daemon of the reader's own, in a session of its own."""
    program = folder / "daemon.py"
    program.write_text(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\n"
        + (lab.PROJECT / "part3/webserver3c.py").read_text())
    seen = see("--server", f"{sys.executable} {program}")
    daemons = [pid for pid in seen.left() if "daemon.py" in " ".join(psutil.Process(pid).cmdline())
               and pid != seen.now()["pid"]]
    assert daemons
    os.kill(seen.process.pid if killed == "the run" else page_servers(seen)[1], signal.SIGKILL)
    assert lab.eventually(lambda: not any(map(psutil.pid_exists, daemons)), SOON)


def broom_stands(run):
    return any("see.broom" in child.cmdline() for child in run.children())


def page_server_stands(run):
    return any("see.web:app" in child.cmdline() for child in run.children())


def stage_stands(run):
    return any("webserver3d.py" in " ".join(child.cmdline())
               for child in run.children(recursive=True))


@pytest.mark.thorough
@pytest.mark.parametrize("is_there", [broom_stands, page_server_stands, stage_stands],
                         ids=lambda is_there: is_there.__name__)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_ended_while_it_starts(is_there, signum):
    seen = Seen("--stage", "3d")
    run, family = psutil.Process(seen.process.pid), []

    def has_come_so_far():
        with suppress(psutil.NoSuchProcess):
            family[:] = run.children(recursive=True)
            return is_there(run)
        return False

    assert lab.eventually(has_come_so_far, STARTING, 0.001)
    os.killpg(seen.process.pid, signum)
    _, words = seen.process.communicate(timeout=SOON)
    assert "Traceback" not in words
    _, left = psutil.wait_procs(family, timeout=SOON)
    assert not left


@pytest.mark.thorough
def test_two_at_once_do_not_meet(see):
    one, other = see("--stage", "3c"), see("--stage", "3d")
    ports = {one.port, other.port, one.now()["port"], other.now()["port"]}
    assert len(ports) == 4
    one.end()
    assert lab.process(other.now()["pid"]).state == "sleeping"


def test_what_cannot_be_started_is_said_in_one_line():
    for arguments, words in [(("--stage", "9x"), "There is no stage '9x'."),
                             (("--server", "./no-such-program --now"), "'./no-such-program'"),
                             (("--stage", "3c", "--delay", "soon"), "'soon'"),
                             (("--stage", "3c", "--beside", "4"), "There is no stage '4'.")]:
        seen = Seen(*arguments)
        _, said = seen.process.communicate(timeout=SOON)
        assert seen.process.returncode == 1
        assert words in said
        assert said.count("\n") == 1
