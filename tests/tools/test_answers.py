"""What make check takes for an answer, in which steps it asks, and how long it waits."""

import re
import sys

import pytest

import lab
from tests.grader import grading
from tests.grader.grading import Question, ask, grade, questions
from tests.helpers.scripts import linux_only
from tests.spec.response import Malformed, parse
from tests.spec.stages import LEARNED, ORDER, STAGES
from tests.spec.subject import Subject, what_came
from tests.spec.timers import sleeps_for

WRONG = lab.PROJECT / "tests/wrong"


# A response by the letter.


@pytest.mark.parametrize(("data", "body"), [
    (b"HTTP/1.1 200 OK\r\n\r\nhello", b"hello"),
    (b"HTTP/1.0 200 \r\nX-Y: \r\nA:b\r\n\r\n", b""),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n02;a=b\r\nlo\r\n0\r\n\r\n",
     b"hello"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
     b"hello"),
])
def test_response_is_taken_apart(data, body):
    response = parse(data)
    assert (response.status, response.body, response.lacks) == (200, body, "")


@pytest.mark.parametrize(("data", "lacks"), [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", "says 6 bytes, and 5 came"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "without the last"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "without the last"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "No empty line follows"),
])
def test_what_a_response_lacks_by_its_own_head_is_said(data, lacks):
    assert lacks in parse(data).lacks


@pytest.mark.parametrize(("data", "wrong"), [
    (b"hello", "There is no empty line"),
    (b"HTTP/1.1 200 OK\n\nhello", "end with .n alone"),
    (b"HTTP/1.1 200\r\n\r\n", "A status line"),
    (b"HTTP/2 200 OK\r\n\r\n", "A status line"),
    (b"http/1.1 200 OK\r\n\r\n", "A status line"),
    (b"HTTP/1.1  200 OK\r\n\r\n", "A status line"),
    (b"HTTP/1.1 200 O\x00K\r\n\r\n", "A status line"),
    (b"HTTP/1.1 200 OK\r\nContent-Type : text/html\r\n\r\n", "each line is a header"),
    (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "each line is a header"),
    (b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "each line is a header"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello", "says 4 bytes, and 5 came"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello", "ought to be one number"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "to be one number"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", "begins with its size"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n", "followed by b'o"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore", "came b'more'"),
])
def test_response_against_the_grammar_is_refused(data, wrong):
    with pytest.raises(Malformed, match=wrong):
        parse(data)


@pytest.mark.parametrize(("answer", "words"), [
    (lab.Answer(error=ConnectionRefusedError()), "refused: nobody listens"),
    (lab.Answer(error=TimeoutError()), "not let in: the queue"),
    (lab.Answer(0, error=TimeoutError()), "No byte of an answer came; .* open, and silent"),
    (lab.Answer(0, error=ConnectionResetError()), "reset .RST. without a byte"),
    (lab.Answer(0, 0, error=ConnectionResetError(), data=b"HTTP"), "'HTTP'. .*RST. after 4 bytes"),
    (lab.Answer(0, 0, error=TimeoutError(), data=b"HTTP"), "b'HTTP'. .* still open, and silent"),
    (lab.Answer(0, end=1), "closed the connection without a byte"),
    (lab.Answer(0, 0, end=1, data=b"HTTP"), "closed the connection after 4 bytes"),
    (lab.Answer(0, 0, data=b"HTTP"), "What came was b'HTTP'.$"),
])
def test_it_is_said_how_a_connection_ended(answer, words):
    assert re.search(words, what_came(answer))


# The steps in which one builds the first server.


@linux_only
@pytest.mark.parametrize(("file", "ticks"), [
    ("never_listens.py", 0), ("never_accepts.py", 1), ("never_reads.py", 2),
    ("never_answers.py", 3), ("exits_after_one_request.py", 4)])
def test_each_step_has_its_tick_and_nothing_is_asked_beyond_the_first_that_lacks(
        file, ticks, monkeypatch):
    monkeypatch.setattr(grading, "TO_START", 4)
    results = grade(STAGES["1"], [sys.executable, str(WRONG / file)])
    steps = [question.name for question in questions(STAGES["1"])][:5]
    assert steps == ["starts", "accepts", "reads", "answers", "goes_on"]
    assert [result.question.name for result in results] == steps[:ticks + 1]
    assert [result.good for result in results] == ticks * [True] + [False]


def test_what_means_nothing_yet_is_asked_later_and_from_there_on():
    for name, stage in LEARNED.items():
        asking = [each for each in ORDER if name in STAGES[each].asked]
        having = [each for each in ORDER if name in STAGES[each].has]
        assert asking == [each for each in having if ORDER.index(each) >= ORDER.index(stage)]
        assert asking


# Time.


@pytest.mark.thorough
def test_question_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(grading, "LIMIT", 2)
    subject = Subject([sys.executable, str(WRONG / "takes_a_second.py")])
    result = ask(Question("lives_on_256_descriptors", "property"), STAGES["3a"], subject)
    assert result.verdict == "no"
    assert "whether the server lives through 300 clients on 256 descriptors" in result.fault.done
    assert "It took longer than 2 s" in result.fault.seen


def test_question_that_would_end_too_late_is_not_asked(monkeypatch):
    monkeypatch.setattr(grading, "ENOUGH", 0)
    results = grade(STAGES["1"], lab.stage_command("1"))
    assert [(result.question.name, result.fault.seen) for result in results] == [
        ("starts", "It was not asked.")]


@linux_only
@pytest.mark.parametrize(("code", "seconds"), [
    ("import time; time.sleep(25)", 25),
    ("import select; select.select([], [], [], 25.5)", 25.5),
    ("import select; select.poll().poll(25_000)", 25),
    ("import select; select.epoll().poll(25)", 25),
    ("import socket; s = socket.create_server(('', 0)); s.settimeout(25); s.accept()", 25),
    ("import socket, struct; s = socket.create_server(('', 0)); s.setsockopt(socket.SOL_SOCKET, "
     "socket.SO_RCVTIMEO, struct.pack('qq', 25, 0)); s.accept()", 25),
])
def test_it_is_seen_how_long_a_call_waits(code, seconds):
    with lab.Server([sys.executable, "-c", code]) as server:
        limits = lab.eventually(lambda: sleeps_for(server.pid))
        assert len(limits) == 1
        assert 5 < limits[0] <= seconds + 0.001  # of a sleep the time that is left is told


@linux_only
def test_call_that_may_wait_for_ever_has_no_limit(start_stage):
    server = start_stage("1")
    assert lab.eventually(lambda: lab.sleeps_in(server.pid) == "accept")
    assert sleeps_for(server.pid) == []
