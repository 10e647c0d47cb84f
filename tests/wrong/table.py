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
    """

    file: str
    stage: str
    question: str
    seen: str
    also: tuple = ()


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

WORDS = [  # what the lines to try have to show besides
    Wrong("believes_in_text.py", "1", "survives_garbled_client", "UnicodeDecodeError"),
    Wrong("ctrl_c_is_a_traceback.py", "1", "stops", "traceback(?s:.*)KeyboardInterrupt"),
    Wrong("forgets_reuseaddr.py", "1", "starts_again", "in use"),
    Wrong("taken_port_is_a_traceback.py", "1", "says_port_is_taken", "traceback"),
    Wrong("takes_delay_for_an_integer.py", "3b", "survives_silent_client", "ValueError",
          also=("survives_garbled_client", "survives_vanishing_client", "keeps_descriptor_count",
                "lives_on_256_descriptors", "lives_through_signal")),  # all have DELAY=0.05 or so
    Wrong("waits_for_the_living.py", "3g", "waits_for_the_dead_only", "got no answer"),
    Wrong("replaces_nobody.py", "3j", "replaces_a_worker", "3 workers are left"),
]

LOAD = [  # more than one client at a time, and what is left when they are gone
    Wrong("reaps_in_the_loop.py", "3c", "serves_while_another_waits",
          "no answer .* sleeps in wait"),
]

WSGI = [  # what is between a server and an application
]

WRONG = [*ANSWERS, *WORDS, *LOAD, *WSGI]

RIGHT = [  # a file, and a stage that it passes
    ("server.js", "1"),
]
