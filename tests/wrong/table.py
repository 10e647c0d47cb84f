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
    # It starts.
    Wrong("starts_and_dies.py", "1", "starts", "ended with status 1 (?s:.*)KeyError: 'PORTS'"),
    Wrong("only_binds_and_listens.py", "1", "starts", "status 0 (?s:.*)accept is what waits"),
    Wrong("never_listens.py", "1", "starts",
          r"does not listen on port \d+ (?s:.*)Waiting for clients"),
    Wrong("listens_on_another_port.py", "1", "starts",
          r"listens on 127.0.0.1:\d+, and not where PORT="),
    Wrong("binds_twice.py", "1", "starts", "Address already in use"),

    # It takes a client in, and reads.
    Wrong("never_accepts.py", "1", "accepts", "waits in the queue .* sleeps in sleep"),
    Wrong("closes_too_early.py", "1", "reads", "It closed the connection at once"),
    Wrong("never_reads.c", "1", "reads", "before it was asked.* lose its answer"),
    Wrong("never_reads.py", "1", "reads", r"\d+ bytes of them are still unread"),
    Wrong("reads_100_bytes.c", "1", "reads", "with part of the request unread"),

    # It answers.
    Wrong("never_answers.py", "1", "answers", "No byte of an answer came; .* open, and silent"),
    Wrong("reads_until_the_end.c", "1", "answers", "No byte of an answer came"),
    Wrong("sends_no_empty_line.py", "1", "answers", "There is no empty line"),
    Wrong("sends_no_body.py", "1", "answers", "The body is b'', and not b'Hello, World!"),
    Wrong("says_something_else.pl", "1", "answers", "The body is b'Hello, you!"),
    Wrong("sends_the_body_twice.py", "1", "answers", r"b'Hello, World!\\nHello, World!\\n', and"),
    Wrong("answers_twice.js", "1", "answers", r"The body is b'Hello, World!\\nHTTP/1.1 200 OK"),
    Wrong("ends_lines_with_lf.pl", "1", "answers", r"lines end with \\n alone"),
    Wrong("mixes_its_line_ends.py", "1", "answers", "A status line .* comes first, and not"),
    Wrong("bananas.py", "1", "answers", "comes first, and not b'banana 200'"),
    Wrong("has_no_reason.pl", "1", "answers", "comes first, and not b'HTTP/1.1 200'"),
    Wrong("answers_404.py", "1", "answers", "Its status is 404"),
    Wrong("sends_only_the_body.py", "1", "answers", r"lines end with \\n alone"),
    Wrong("begins_with_an_empty_line.py", "1", "answers", "comes first, and not b''"),
    Wrong("header_without_a_colon.py", "1", "answers", "not b'Content-Type text/plain'"),
    Wrong("length_too_short.js", "1", "answers", "says 13 bytes, and 14 came"),
    Wrong("length_too_long.c", "1", "answers", "says 15 bytes, and 14 came"),
    Wrong("chunks_without_an_end.py", "1", "answers", "end without the last one"),
    Wrong("sends_the_nul.c", "1", "answers", r"World!\\n\\x00', and not"),
    Wrong("takes_the_size_of_a_pointer.c", "1", "answers", "b'HTTP/1.1'. .* after 8 bytes"),
    Wrong("measures_another_text.c", "1", "answers", "b'HTTP/1.1 200 O'. .* after 14 bytes"),
    Wrong("never_stops_talking.py", "1", "answers", r"It does not end: 1\d{6} bytes"),

    # It goes on, and the connection ends.
    Wrong("exits_after_one_request.py", "1", "goes_on", "ended, with status 0. It said nothing"),
    Wrong("closes_the_wrong_socket.c", "1", "goes_on", "refused: nobody listens there any more"),
    Wrong("answers_and_never_closes.py", "1", "ends_the_connection", "still open"),
    Wrong("never_ends.js", "1", "ends_the_connection", "still open"),
    Wrong("resets_at_the_end.py", "1", "ends_the_connection", r"reset \(RST\) after 33 bytes"),

    # It survives its clients. Who goes without a word and who goes in the middle are much alike.
    Wrong("thread_dies_silently.py", "1", "survives_silent_client", "open, and silent",
          also=("survives_garbled_client", "survives_vanishing_client")),
    Wrong("dies_of_sigpipe.c", "1", "survives_silent_client", "ended, with status -13",
          also=("survives_vanishing_client",)),
    Wrong("shuts_down_who_has_gone.py", "1", "survives_silent_client", "shutdown: .Errno 107",
          also=("survives_vanishing_client",)),
    Wrong("waits_for_an_empty_line.py", "1", "survives_silent_client", r"process \d+ is busy",
          also=("survives_garbled_client", "survives_vanishing_client")),
    Wrong("believes_in_text.py", "1", "survives_garbled_client", "No text: 'utf-8' codec"),
    Wrong("prints_a_traceback.py", "1", "survives_vanishing_client",
          "ending in:(?s:.*)Connection"),
    Wrong("looks_up_the_path.pl", "1", "survives_garbled_client", "No version"),
    Wrong("dies_of_sigpipe.pl", "1", "survives_vanishing_client", "ended, with status -13"),
    Wrong("gives_up_at_the_first_error.py", "1", "survives_vanishing_client", "status 0. It said"),
    Wrong("dies_of_a_reset.js", "1", "survives_vanishing_client", "read ECONNRESET"),
    Wrong("leaks_who_says_nothing.c", "3a", "keeps_descriptor_count", r"It has \d\d\. Of what"),

    # DELAY.
    Wrong("ignores_delay.py", "3b", "sleeps_after_answer",
          r"It came (2\.9|3)\S+ s after .* and (2\.9|3)"),
    Wrong("sleeps_before_the_answer.py", "3b", "sleeps_after_answer", r"and 0\.\d+ s after it"),
    Wrong("sleeps_after_the_end.py", "3b", "sleeps_after_answer", r"and 0\.\d+ s after it"),

    # fork.
    Wrong("child_accepts_too.py", "3c", "a_process_for_each", "3 of them still run",
          also=("leaves_no_zombie_after_one", "leaves_no_zombie_after_128")),  # nobody ends

    # Manners.
    Wrong("listens_on_every_interface.py", "1", "listens_on_host_only",
          "0.0.0.0. That is every interface"),
    Wrong("listens_everywhere.js", "1", "listens_on_host_only", "::. That is every interface"),
    Wrong("ignores_host.py", "1", "listens_on_host_only", "It listens on 127.0.0.1"),
    Wrong("waits_busily.py", "1", "idles", "s of processor time"),
    Wrong("accept_times_out.py", "1", "stays", "ended, with status 1. (?s:.*)Nobody came"),
    Wrong("accept_times_out.c", "1", "stays", "accept: Resource temporarily unavailable"),
    Wrong("silent_client_times_out.py", "1", "stays", "TimeoutError: timed out"),
    Wrong("does_not_look_at_bind.c", "1", "says_port_is_taken", "It still ran"),
    Wrong("workers_bind_by_themselves.py", "1", "says_port_is_taken", "It still ran"),
    Wrong("shares_its_port.py", "1", "says_port_is_taken", "It still ran"),
    Wrong("cannot_start_again.pl", "1", "starts_again", "Address already in use"),
    Wrong("ignores_sigterm.py", "1", "stops", r"process \d+ still runs"),
]

LOAD = [  # more than one client at a time, and what is left when they are gone
    Wrong("reaps_in_the_loop.py", "3c", "serves_while_another_waits",
          "no answer .* sleeps in wait",
          also=("a_process_for_each", "sleeps_side_by_side",  # one child at a time, and
                "leaves_no_zombie_after_one", "leaves_no_zombie_after_128")),  # no dead one
]

WSGI = [  # what is between a server and an application
]

WRONG = [*ANSWERS, *LOAD, *WSGI]

RIGHT = [  # a file, and a stage that it passes
    ("server.js", "1"),
    ("framework.js", "1"),
    ("server.pl", "1"),
    ("says_all_in_pieces.py", "1"),
    ("waits_for_the_client_to_close.py", "1"),
    ("selects.py", "1"),
    ("takes_a_second.py", "1"),
    ("answers_nothing_to_nothing.py", "3d"),
]
