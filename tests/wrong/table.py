"""The servers of this folder: what each is asked as, and the one question that it must fail.

A wrong server has one fault. It fails the question about that, for the reason that the regular
expression says, and passes every other question of its stage. A right one passes them all.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A server with one fault.

    file      its file in this folder: a Python program unless it ends in .c, .js, .pl, .rb or .go
    stage     what it is asked as
    question  the name of the one question that it must fail
    seen      a regular expression: what the report of it says was seen
    also      other questions that cannot but fail of the same fault
    maybe     others that fail of it at times
    """

    file: str
    stage: str
    question: str
    seen: str
    also: tuple = ()
    maybe: tuple = ()


ANSWERS = [  # what a client gets, and what becomes of the server when a client is rude
    Wrong("answers_and_never_closes.py", "1", "ends_the_connection", "still open"),
    Wrong("closes_too_early.py", "1", "answers", "closed the connection without|reset by peer"),
    Wrong("thread_dies_silently.py", "1", "survives_silent_client", "got no answer"),
    Wrong("ignores_sigterm.py", "1", "stops", r"process \d+ still runs"),
    Wrong("listens_on_another_port.py", "1", "starts",
          r"listens on 127.0.0.1:\d+, and not where PORT="),
    Wrong("listens_on_every_interface.py", "1", "listens_on_host_only",
          "0.0.0.0. That is every interface"),
    Wrong("prints_a_traceback.py", "1", "survives_vanishing_client",
          "ending in:(?s:.*)Connection"),
    Wrong("waits_busily.py", "1", "idles", "s of processor time"),
    Wrong("exits_after_one_request.py", "1", "answers", "ended, with status 0. It said nothing"),
    Wrong("never_listens.py", "1", "starts",
          r"does not listen on port \d+ (?s:.*)Waiting for clients"),
    Wrong("starts_and_dies.py", "1", "starts", "ended with status 1 (?s:.*)KeyError: 'PORTS'"),
]

LOAD = [  # more than one client at a time, and what is left when they are gone
    Wrong("reaps_in_the_loop.py", "3c", "serves_while_another_waits",
          "no answer .* sleeps in wait",  # there is one child at a time, and no zombie
          also=("a_process_for_each", "sleeps_side_by_side", "leaves_no_zombie_after_one",
                "leaves_no_zombie_after_128")),
    Wrong("removes_in_the_handler.py", "3g", "answers_bursts", "list.remove.x.: x not in list"),
    Wrong("forks_for_nobody.c", "3g", "forks_for_clients_only", r"woke up \d+ times",
          maybe=("idles", "leaves_no_zombie_after_128")),  # there may be no end of it
    Wrong("forks_for_nobody.py", "3g", "forks_for_clients_only", r"woke up \d+ times",
          maybe=("idles",)),
    Wrong("child_listens_too.py", "3g", "gives_the_port_back", r"Process \d+ still listens"),
    Wrong("ignores_sigchld.py", "3g", "sleeps_until_told", "ignores SIGCHLD"),
    Wrong("polls_for_the_dead.py", "3g", "sleeps_until_told", "no handler for SIGCHLD"),
    Wrong("thread_reaps_each_second.py", "3g", "sleeps_until_told", "no handler for SIGCHLD"),
    Wrong("pool_of_4.py", "3i", "serves_beside_forty", "no answer"),
    Wrong("pool_of_32.py", "3i", "serves_beside_forty", "no answer",
          also=("threads_end",)),  # they wait for the next client
    Wrong("pool_in_advance.py", "3i", "serves_beside_forty", "no answer"),
    Wrong("threads_never_end.py", "3i", "threads_end", "1 thread before they came, and has 41"),
    Wrong("replaces_one_worker.py", "3j", "replaces_a_worker", "2 workers are left"),
    Wrong("blocks_on_half_a_request.py", "3k", "serves_while_another_waits",
          "no answer .* sleeps in recv"),
    Wrong("sleeps_before_the_body.py", "3b", "sleeps_after_answer",
          r"complete after [01]\.\d+ s, and the end came"),
    Wrong("child_sleeps_before_the_body.py", "3c", "sleeps_side_by_side",
          r"last byte came [\d.]+ s later"),
    Wrong("sends_once.py", "3l", "sends_long_answers", r"\d+ bytes came, and then the end"),
    Wrong("handler_once.c", "3g", "reaps_when_told", "is a zombie"),
    Wrong("waits_for_the_living.py", "3g", "waits_for_the_dead_only", "no answer .* in wait"),
    Wrong("worker_dies_of_a_client.py", "3j", "workers_in_advance", "Of 5 processes . ended"),
    Wrong("looks_a_hundred_times_a_second.py", "3k", "idles", r"woke up \d+ times"),
    Wrong("hears_the_end_for_ever.py", "3k", "idles", "of 20 looks at it"),
    Wrong("becomes_a_daemon.py", "1", "starts", r"status 0 .* Process \d+ .* went on"),
    Wrong("leaves_its_session.py", "1", "starts", r"Process \d+ .* went on"),
]

WSGI = [  # what is between a server and an application
]

WRONG = [*ANSWERS, *LOAD, *WSGI]

RIGHT = [  # a file, and a stage that it passes
    ("server.js", "1"),
    ("server.js", "3k"),
    ("one_at_a_time.pl", "1"),
    ("one_at_a_time.pl", "3a"),
    ("one_at_a_time.pl", "3b"),
    ("fork.c", "3c"),
    ("fork.pl", "3c"),
    ("keeps_each_connection.c", "3d"),
    ("dies_of_eintr.c", "3e"),
    ("dies_of_eintr.pl", "3e"),
    ("reaps_one.c", "3e"),
    ("reaps_one.c", "3f"),
    ("reaps_all.c", "3g"),
    ("reaps_all.pl", "3g"),
    ("threads.c", "3i"),
    ("workers.c", "3j"),
    ("polls.c", "3k"),
]
