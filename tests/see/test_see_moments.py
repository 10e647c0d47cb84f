"""What a look writes down, and what is said of it: without a page, and mostly without a server."""

import json
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import lab
from see import sockets
from see.recording import Recording
from see.scene import Scene
from see.sentences import sentences


class Clock:
    origin = 0

    def __call__(self):
        return 10.0


def server(**changes):
    """A server that shows nothing worth a sentence, but for these changes."""
    return {"pid": 100, "running": True, "exit_status": None, "trouble": None, "last_words": "",
            "frozen": False, "limited": False, "limits": {"files": 256, "processes": 400},
            "processes": [process(100, role="parent", call="accept")],
            "queue": {"waiting": 0, "backlog": 5, "outside": 0}, "connections": [],
            "counts": {"descriptors": 4, "reaped": 0}, **changes}


def process(pid, **changes):
    return {"pid": pid, "ppid": 100, "role": "child", "was": None, "state": "sleeping",
            "born": 1.0, "call": "sleep", "threads": 1, "pending": [], "caught": [],
            "ended": None, "killed": None, "descriptors": [], **changes}


def zombie(pid, **changes):
    return process(pid, state="zombie", call=None, **{"ended": 2.0, **changes})


def connection(held_by, inode=7, state="ESTABLISHED"):
    return {"inode": inode, "held_by": held_by, "state": state, "client_state": "ESTABLISHED"}


def holds(inode, kind="connection"):
    return {"descriptors": [{"number": 4, "kind": kind, "inode": inode}]}


PARENT = process(100, role="parent", call="accept")
REAPED = {"descriptors": 4, "reaped": 3}
CATCHES = process(100, role="parent", caught=["SIGCHLD"])
PENDING = process(100, role="parent", caught=["SIGCHLD"], pending=["SIGCHLD"])
STOPPED = process(100, role="parent", state="stopped", call=None, pending=["SIGCHLD"])
DEAD = {"running": False, "exit_status": 1}


@pytest.mark.parametrize(("changes", "words"), [
    ({"processes": [PARENT, zombie(1)]}, "The parent never waited: this is a zombie."),
    ({"processes": [PARENT, zombie(1), zombie(2)]}, "never waited: these 2 are zombies."),
    ({"processes": [CATCHES, zombie(1), zombie(2)], "counts": REAPED},
     "The parent has waited for 3, and 2 zombies stay. Signals are not queued"),
    ({"processes": [STOPPED, zombie(1), zombie(2)], "frozen": True},
     "2 children have ended, and SIGCHLD is pending once"),
    ({"processes": [STOPPED], "frozen": True}, "The server is stopped (SIGSTOP)"),
    ({"processes": [PARENT, zombie(1, killed="zombie")]}, "kill -9 did nothing to process 1"),
    ({"counts": REAPED}, "each of the 3 children that ended: no zombie stays"),
    ({"queue": {"waiting": 1, "backlog": 5, "outside": 0},
      "processes": [process(100, role="parent", call="sleep")]}, "1 client waits in the queue"),
    ({"queue": {"waiting": 6, "backlog": 5, "outside": 4}}, "4 clients stand outside"),
    ({"connections": [connection([100])], "processes": [PARENT, zombie(1)]},
     "keeps its copy of 1 connection whose child has ended"),
    ({"connections": [connection([100, 1])], "processes": [PARENT, process(1)]},
     "Parent and child hold the same 1 connection:"),
    ({"processes": [PARENT, process(1, **holds(7)), process(2, **holds(8))]},
     "A process for each client: 2 children"),
    ({"processes": [PARENT, *[process(pid, role="worker", call="accept", **holds(5, "listening"))
                              for pid in (1, 2)]]}, "2 workers, all in accept"),
    ({"processes": [process(100, role="parent", call="epoll_wait")],
      "connections": [connection([100]), connection([100], 8)]},
     "One process, one thread, 2 connections"),
    ({"processes": [process(100, role="parent", call="accept", threads=3)],
      "connections": [connection([100]), connection([100], 8)]}, "3 threads in one process"),
    ({"limited": True, "counts": {"descriptors": 250, "reaped": 0}}, "250 of 256 descriptors"),
    ({**DEAD, "processes": [], "last_words": "OSError: [Errno 24] Too many open files"}, "EMFILE"),
    ({**DEAD, "processes": [], "last_words": "InterruptedError: [Errno 4] Interrupted system call"},
     "EINTR"),
    ({**DEAD, "processes": [], "last_words": "BlockingIOError: [Errno 11] Resource temporarily "
                                             "unavailable"}, "EAGAIN"),
    ({"running": False, "exit_status": -9, "processes": []}, "killed by signal 9"),
    ({**DEAD, "processes": [process(1, ppid=1)]}, "1 child lives on without a parent: process 1")],
    ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_so_is_said(changes, words):
    said = sentences(server(**changes), now=10.0)
    assert [sentence for sentence in said if words in sentence], said
    assert all(sentence.endswith(".") for sentence in said)


@pytest.mark.parametrize(("changes", "words"), [
    ({}, ""),
    ({"processes": [PARENT, zombie(1, ended=9.9)]}, "zombie"),  # it may be waited for yet
    ({"processes": [process(100, role="parent", state="running"), zombie(1)]}, "zombie"),
    ({"processes": [STOPPED, zombie(1)], "frozen": True}, "never waited"),  # it cannot
    ({"processes": [PENDING, zombie(1), zombie(2)], "counts": REAPED}, "Signals are not queued"),
    ({"processes": [PARENT, zombie(1), zombie(2)], "counts": REAPED}, "Signals"),  # no handler
    ({"processes": [PARENT, zombie(1)], **DEAD}, "never waited"),
    ({"processes": [PARENT, zombie(1, killed="living")]}, "kill -9 did nothing"),
    ({"processes": [PARENT, process(1)], "counts": REAPED}, "no zombie stays"),
    ({"queue": {"waiting": 2, "backlog": 5, "outside": 0}}, "sleeps"),  # it is in accept
    ({"connections": [connection([100])]}, "keeps its copy"),  # nobody has ended
    ({"connections": [connection([100], state="FIN_WAIT2")], "processes": [PARENT, zombie(1)]},
     "keeps its copy"),
    ({"connections": [connection([100, 1])], "processes": [PARENT, process(1, born=9.9)]},
     "hold the same"),
    ({"limited": False, "counts": {"descriptors": 250, "reaped": 0}}, "of 256"),
    ({**DEAD, "processes": [process(1, ppid=100)]}, "without a parent")],
    ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_not_so_is_not_said(changes, words):
    said = sentences(server(**changes), now=10.0)
    assert not [sentence for sentence in said if words in sentence]


def moment(number):
    return [{"processes": [], "said": [], "name": str(number), "more": "x" * 1000}]


def test_a_recording_keeps_the_newest_and_does_not_grow():
    recording = Recording(Clock(), 8, most=20_000)
    for number in range(1, 1001):
        recording.add(number, moment(number), [])
    header, *lines = recording.whole().splitlines()
    kept = [json.loads(line) for line in lines]
    assert len(recording.whole()) < 22_000
    assert [one["number"] for one in kept] == list(range(kept[0]["number"], 1001))
    assert len(kept) > 10
    assert json.loads(header)["version"] == 1
    answer = json.loads(recording.answer(0))
    assert (answer["first"], answer["last"]) == (kept[0]["number"], 1000)
    assert answer["moments"] == kept
    assert json.loads(recording.answer(999))["moments"] == kept[-1:]
    assert json.loads(recording.answer(1000))["moments"] == []
    assert json.loads(recording.answer(-5))["moments"] == kept


def test_a_recording_is_told_in_pieces():
    recording = Recording(Clock(), 8)
    for number in range(1, 101):
        recording.add(number, [{**moment(number)[0], "more": "x" * 100_000}], [])
    found = []
    while len(found) < 100:
        answer = json.loads(recording.answer(len(found)))
        assert 1 <= len(answer["moments"]) < 50
        found += answer["moments"]
    assert [one["number"] for one in found] == list(range(1, 101))


def test_what_is_as_before_is_not_written_down():
    recording = Recording(Clock(), 8)
    one = {**moment(1)[0], "processes": [{"born": 1, "ended": None, "pid": 7}]}
    for now in (2, 3, 4):
        recording.add(now, [json.loads(json.dumps(one))], [])
    recording.add(5, [{**one, "said": ["a line"]}], [])
    recording.add(6, [one], [])
    answer = json.loads(recording.answer(0))
    assert [found["time"] for found in answer["moments"]] == [2, 5]
    assert answer["moments"][0]["servers"][0]["processes"][0]["age"] == 1


def test_looking_has_its_share_of_a_core_and_no_more(monkeypatch):
    """A look that costs 50 ms, eight times a second, is too much in the long run. A second may be
    saved up for a storm; but for that it is 5 % at most."""
    spent = []

    def look(self):
        began = time.thread_time()
        while time.thread_time() < began + 0.05:
            pass
        spent.append(time.thread_time() - began)

    monkeypatch.setattr(Scene, "look", look)
    stage, began = Scene([], 0), time.monotonic()
    while time.monotonic() < began + 8:
        stage.heed("page", 1)
        time.sleep(0.1)
    stage.close()
    passed = time.monotonic() - began
    assert 0.5 < sum(spent) < 1 + 0.05 * passed + 0.2, (sum(spent), passed)


# What it is made from

def test_the_kernel_s_sockets_are_those_of_proc(start_stage):
    """Two servers, one with connections; each as /proc/net/tcp has it, and nothing else."""
    one, other = start_stage("3b", DELAY=600), start_stage("3a")
    with closing(lab.connect(one.port)), closing(lab.connect(one.port)):
        assert lab.eventually(lambda: lab.queue(one.pid, one.port)[:2] == (1, 1))
        found = sockets.look([one.port, other.port])
        assert len(found[one.port][1]) == 4
        of_proc = set(lab.connections(one.port))  # where others come and go, one stands twice
        assert set(found[one.port][1]) == of_proc
        assert found[other.port][1] == []
        for server, waiting in (one, 1), (other, 0):
            [listener] = lab.listeners(server.port)
            assert found[server.port][0] == [(listener.inode, waiting, 5)]
        assert sockets.look([lab.free_port()]).popitem()[1] == ([], [])


def test_where_the_kernel_does_not_tell_of_its_sockets_lab_does(start_stage, monkeypatch):
    def ask(family, ports):
        raise OSError

    server = start_stage("3a")
    monkeypatch.setattr(sockets, "ask", ask)
    [listener] = lab.listeners(server.port)
    assert sockets.look([server.port]) == {server.port: ([(listener.inode, 0, None)], [])}


def test_who_reads_along_has_each_word_once(servers):
    program = "import sys; print('one'); print('two', file=sys.stderr); sys.stdin.read()"
    program += "\nimport time; time.sleep(600)"
    server = servers.enter_context(lab.Server([sys.executable, "-u", "-c", program]))
    assert lab.eventually(lambda: server.stderr)
    assert server.said_after(0) == ("one\n", 4)
    assert server.said_after(4) == ("", 4)
    assert server.said_after(0, error=True) == ("two\n", 4)


@pytest.mark.skipif(not Path("/proc/net/tcp6").exists(), reason="a kernel without IPv6")
def test_connections_to_a_server_that_listens_in_ipv6(servers):
    program = ("import os, socket; one = socket.create_server(('::', int(os.environ['PORT'])), "
               "family=socket.AF_INET6, dualstack_ipv6=True); other = one.accept(); one.accept()")
    server = servers.enter_context(lab.start([sys.executable, "-c", program]))
    with lab.connect(server.port) as client:
        ours = ("127.0.0.1", client.getsockname()[1])
        assert lab.eventually(lambda: lab.socket_pairs(server.port))
        [(from_here, from_there)] = lab.socket_pairs(server.port)
        assert sorted(sockets.look([server.port])[server.port][1]) == sorted(
            [from_here, from_there])
    assert from_here.local == from_there.foreign == ours
    assert from_there.local == ("127.0.0.1", server.port)
