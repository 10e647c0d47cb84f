"""What the comparison of a chapter with what is committed of it finds, and what it lets pass."""

from copy import deepcopy

import pytest
from nbformat.v4 import new_code_cell, new_output

from tests.helpers.fresh import differences


def printed(text, *tags):
    """A cell that has printed something."""
    return new_code_cell("run()", outputs=[new_output("stream", text=text)],
                         metadata={"tags": list(tags)})


def drawn(words, *tags):
    """A cell that shows a picture, and has printed a line before it."""
    data = {"image/png": "iVBORw0KGgo=", "text/plain": words}
    cell = printed("3 clients\n", *tags)
    cell.outputs.append(new_output("display_data", data=data))
    return cell


@pytest.mark.parametrize(("before", "after"), [
    ("zombies: 127", "zombies: 128"),
    ("252 of 300 clients were answered.", "251 of 300 clients were answered."),
    ("{200: 59}", "{500: 59}"),
    ("< HTTP/1.1 200 OK", "< HTTP/1.0 200 OK"),
    ("the answer: [200, 200]", "the answer: [200, 503]"),
    ("[Errno 98] Address already in use", "[Errno 111] Connection refused"),
    ("fork returned 0 in process 812", "fork returned 813 in process 812"),
    ("PID STAT COMMAND\n 812 Z    [python] <defunct>", "PID STAT COMMAND\n 812 S    python"),
    ("Date: Thu, 01 Jan 1970 00:00:00 GMT", "Date: Sat, 21 Nov 2026 21:48:48 GMT"),
    ("Two clients. 1: end after 0.5 s; 2: no end seen.", "Two clients, each of them: no end seen."),
    ("Two clients. 1: end after 0.5 s; 2: no end seen.", "Two clients, each of them: refused."),
    ("With two clients. PID 9, a.py: 2 children: PID 10, zombie; PID 11, zombie.",
     "With two clients. PID 9, a.py: 1 child: PID 10, zombie."),
    ("With two clients. PID 9, a.py: 50 children, zombie: 50.",
     "With two clients. PID 9, a.py: 49 children, zombie: 50."),
    ("it runs as 1 process: 1 asleep in accept", "it runs as 1 process: 2 asleep in accept"),
    ("-if pid == 0:  # in the child", "-if pid == 1:  # in the child"),
    ("ShdPnd: 0000000000010000", "ShdPnd: 0000000000000000"),
    ("srwxr-xr-x", "-rwxr-xr-x"),
    ("the client hears: nothing", "the client hears: the end"),
    ("exit status: 1", "exit status: -1"),
    ("one\ntwo", "two\none"),
    ("one\none", "one"),
    ("one\ntwo", "one"),
    ("one", "")])
def test_another_finding_is_found(before, after):
    assert len(differences([printed(before)], [printed(after)])) == 1


@pytest.mark.parametrize(("before", "after"), [
    ("The process has PID 9811.", "The process has PID 12."),
    ("PID 9811, sh: one child: PID 9812, python", "PID 11, sh: one child: PID 120, python"),
    ("No longer there: PID 9811, 9812.", "No longer there: PID 11, 12."),
    ("Process(pid=1043, ppid=1041, state='zombie')", "Process(pid=43, ppid=4, state='zombie')"),
    ("Reaped child 4505, status 0", "Reaped child 45, status 0"),
    ("  PID  PPID STAT COMMAND\n18547  9811 Ss   sh", "    PID    PPID STAT COMMAND\n 7 3 Ss   sh"),
    ('users:(("python",pid=1176,fd=3))', 'users:(("python3",pid=31,fd=3))'),
    ("localhost:18773 and ('127.0.0.1', 45640)", "localhost:28444 and ('127.0.0.1', 39154)"),
    ("srwxr-xr-x", "srwxrwxr-x"),
    ("SigIgn: 0000000001001000", "SigIgn: 0000000180001004"),
    ("3 -> socket:[118377019]", "3 -> socket:[8123]"),
    ("in /tmp/tmpbrmfcb3v/slow.py", "in /tmp/tmp_7x2q9aa/slow.py"),
    ("Server: nginx/1.22.1", "Server: nginx/1.26.0"),
    ("Date: Sat, 21 Nov 2026 21:48:48 GMT", "Date: Wed, 03 Feb 2027 01:00:03 GMT"),
    ("first byte after 0.502 s, or 507 ms", "first byte after 11.3 s, or 1 ms"),
    ("in process 9, whose parent is 7", "in process 9119, whose parent is 712"),
    ("there is one process: 9119", "there is one process: 45"),
    ("Two clients, each of them: end after 0.5 s.",
     "Two clients. 1: end after 0.5 s; 2: end after 0.6 s."),
    ("Two clients. 1: end after 0.5 s; 2: no end seen.",
     "Two clients. 1: connected after 0.1 s, end after 0.5 s; 2: no end seen."),
    ("timer:(timewait,59sec,0)", "timer:(timewait,1min,0)"),
    ("ESTAB  0      0   127.0.0.1:80", "ESTAB 0 0 127.0.0.1:80")])
def test_what_each_run_names_anew_passes(before, after):
    assert differences([printed(before)], [printed(after)]) == []


def test_picture_that_is_missing_is_found():
    before, after = drawn("Three clients."), drawn("Three clients.")
    del after.outputs[1].data["image/png"]
    assert "-image/png" in differences([before], [after])[0]
    after = drawn("Three clients.")
    del after.outputs[1]
    assert "-image/png" in differences([before], [after])[0]


def test_picture_that_shows_something_else_is_found():
    told = differences([drawn("Two zombies.")], [drawn("No zombie.")])
    assert "-Two zombies." in told[0]
    assert "+No zombie." in told[0]


@pytest.mark.parametrize("tags", [[], ["noisy"]])
def test_each_cell_that_is_another_is_told_with_its_source(tags):
    before = [printed("one", *tags), printed("two", *tags), drawn("Three.", *tags)]
    after = deepcopy(before)
    assert differences(before, after) == []
    before[0].source, before[2].source = "first()", "last()"
    after[0].outputs, after[2].outputs = [], []
    told = differences(before, after)
    assert [text.splitlines()[0] for text in told] == ["first()", "last()"]


@pytest.mark.parametrize(("before", "after"), [
    ("two children: 2.0 processors", "two children: 1.6 processors"),
    ("3g: 740 (RSS), 39 (PSS); 3i: 13.3 (RSS)", "3g: 12 (RSS), 1,039 (PSS); 3i: 8 (RSS)"),
    ("the parent 100 times, the child 0 times", "the parent 94 times, the child 6 times"),
    ("open files   (-n) 20000", "open files   (-n) unlimited"),
    ("it may have: 262144", "it may have: (it follows none here)"),
    ("server: recv(4) = 23; client: close(3).", "client: close(3); server: recv(4) = 23."),
    ("TIME-WAIT 127.0.0.1:1\nTIME-WAIT 127.0.0.1:2", "TIME-WAIT 127.0.0.1:1"),
    ("48 x [Errno 104] Connection reset by peer",
     "9 x [Errno 111] Connection refused\n39 x [Errno 104] Connection reset by peer")])
def test_figures_and_order_of_a_noisy_cell_pass_and_of_no_other(before, after):
    assert differences([printed(before, "noisy")], [printed(after)]) == []
    assert differences([printed(before)], [printed(after)]) != []


@pytest.mark.parametrize(("before", "after"), [
    ("Seen:        16", "Seen:        4"),
    ("Seen:        at once", "Seen:        not at all"),
    ("exit status of the server: 1", "exit status of the server: None"),
    ("5 of 60 answered. It lives.", "5 of 60 answered. It died."),
    ("server: recv(4) = 23; client: close(3).", "server: recv(4) = 23."),
    ("one: 3\ntwo: 4", "one: 3"),
    ("one: 3", "")])
def test_what_a_noisy_cell_says_is_compared(before, after):
    assert len(differences([printed(before, "noisy")], [printed(after)])) == 1


def test_picture_that_is_missing_in_a_noisy_cell_is_found():
    before, after = drawn("3g: 740 MB.", "noisy"), drawn("3g: 12 MB.")
    assert differences([before], [after]) == []
    del after.outputs[1].data["image/png"]
    assert "-image/png" in differences([before], [after])[0]


def test_cell_that_cannot_show_it_on_this_system_is_left_out():
    lacks = printed("nginx: not installed here, so this is left out.")
    shows = printed("Server: nginx")
    assert differences([shows], [lacks]) == []
    assert len(differences([lacks], [shows])) == 1


def test_cell_that_has_found_the_readers_own_server_is_left_out():
    none = printed("There is no my/webserver3c.py. Begin with: make start STAGE=3c.")
    assert differences([none], [printed("my/webserver3c.py lacks nothing.")]) == []
    assert len(differences([none], [printed("")])) == 1
