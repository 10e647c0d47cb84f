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
    Wrong("ends_its_headers_with_lf.py", "1", "answers", "'Content-Type: text/plain' ends with"),
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
          also=("survives_garbled_client", "survives_vanishing_client"), maybe=("idles",)),
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
    Wrong("sleeps_whole_seconds.py", "3b", "sleeps_after_answer", r"and 1\.\d+ s after it"),
    Wrong("sleeps_after_the_end.py", "3b", "sleeps_after_answer", r"and 0\.\d+ s after it"),

    # fork.
    Wrong("child_accepts_too.py", "3c", "a_process_for_each", "3 of them still run",
          also=("leaves_no_zombie_after_one", "leaves_no_zombie_after_128",  # nobody ends, and
                "gives_the_port_back")),  # each of them still listens

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
    Wrong("workers_bind_by_themselves.py", "1", "says_port_is_taken", "It still ran",
          maybe=("idles",)),  # Pythons that start, where the machine is busy
    Wrong("shares_its_port.py", "1", "says_port_is_taken", "It still ran"),
    Wrong("calls_a_taken_port_well.py", "1", "says_port_is_taken", "status 0, and said: Cannot"),
    Wrong("cannot_start_again.pl", "1", "starts_again", "Address already in use"),
    Wrong("ignores_sigterm.py", "1", "stops", r"process \d+ still runs"),
]

WORDS = [  # what the lines to try have to show besides
    Wrong("ctrl_c_is_a_traceback.py", "1", "stops", "traceback(?s:.*)KeyboardInterrupt"),
    Wrong("forgets_reuseaddr.py", "1", "starts_again", "in use"),
    Wrong("taken_port_is_a_traceback.py", "1", "says_port_is_taken", "traceback"),
    Wrong("takes_delay_for_an_integer.py", "3b", "sleeps_after_answer", "ValueError"),
    Wrong("replaces_nobody.py", "3j", "replaces_a_worker", "3 workers are left"),
]

LOAD = [  # more than one client at a time, and what is left when they are gone
    Wrong("reaps_in_the_loop.py", "3c", "serves_while_another_waits",
          "no answer .* sleeps in wait",  # there is one child at a time, and no zombie
          also=("a_process_for_each", "sleeps_side_by_side", "leaves_no_zombie_after_one",
                "leaves_no_zombie_after_128")),
    Wrong("queues_four.py", "3a", "queues_five", "5 of those 6 were let in"),
    Wrong("removes_in_the_handler.py", "3g", "answers_bursts", "list.remove.x.: x not in list",
          maybe=("goes_on", "lives_on_256_descriptors")),  # it dies of one client that is quick
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
          r"and 0\.\d+ s after it"),
    Wrong("child_sleeps_before_the_body.py", "3c", "sleeps_side_by_side",
          r"last byte came [\d.]+ s later"),
    Wrong("sends_once.py", "3l", "sends_long_answers", r"\d+ bytes came, and then the end"),
    Wrong("handler_once.c", "3g", "reaps_when_told", "is a zombie"),
    Wrong("waits_for_the_living.py", "3g", "waits_for_the_dead_only", "no answer.* in wait"),
    Wrong("asks_as_long_as_one_lives.py", "3g", "waits_for_the_dead_only", r"process \d+ is busy"),
    Wrong("worker_dies_of_a_client.py", "3j", "workers_in_advance", "Of 5 processes . ended"),
    Wrong("looks_a_hundred_times_a_second.py", "3k", "idles", r"woke up \d+ times"),
    Wrong("hears_the_end_for_ever.py", "3k", "idles", "of 20 looks at it",
          maybe=("keeps_descriptor_count",)),  # it keeps them, and closes one now and then
    Wrong("becomes_a_daemon.py", "1", "starts", r"status 0 .* Process \d+ .* went on"),
    Wrong("leaves_its_session.py", "1", "starts", r"Process \d+ .* went on"),
]

WSGI = [  # what is between a server and an application
    Wrong("says_what_the_task_says.py", "2", "runs_wsgi", "as this application does"),
    Wrong("loads_one_application_only.py", "2", "runs_wsgi", "as this application does"),
    Wrong("server.js", "2", "runs_wsgi", "Hello, World!"),
    Wrong("calls_once.py", "2", "calls_it_anew", r"The first body was b'(\w+)'.*\1",
          also=("says_what_was_asked",)),  # and says what was asked that time
    Wrong("caches_its_answers.py", "2", "calls_it_anew", r"The first body was b'(\w+)'.*\1"),
    Wrong("says_200_whatever_comes.py", "2", "passes_the_head_on", "no status 299 Nonce"),
    Wrong("drops_the_headers.py", "2", "passes_the_head_on", "no Content-Type.*, no X-Nonce"),
    Wrong("keeps_headers_in_a_dictionary.py", "2", "passes_the_head_on",
          "There is no Set-Cookie: a=1. What came"),
    Wrong("sends_the_first_block.py", "2", "sends_every_block", r"\\r\\none '"),
    Wrong("asks_for_text.py", "2", "sends_every_block", "one .xef.xbf.xbd"),
    Wrong("wants_a_list.py", "2", "sends_every_block", "has no len",
          also=("waits_for_start_response",)),  # who starts late is a generator as well
    Wrong("makes_the_head_too_early.py", "2", "waits_for_start_response", "200 OK.*better late"),
    Wrong("keeps_the_status_of_the_one_before.py", "2", "waits_for_start_response",
          "200 OK.*no status"),
    Wrong("says_get_of_every_method.py", "2", "says_what_was_asked", "GET /"),
    Wrong("says_one_path.py", "2", "says_what_was_asked", "GET /hello"),
    Wrong("one_environ_for_all.py", "2", "makes_environ_anew", "used before"),
    Wrong("has_no_wsgi_keys.py", "2", "fills_environ", "It has no wsgi.version, no wsgi"),
    Wrong("says_a_port_that_is_a_number.py", "2", "fills_environ", "SERVER_PORT is not a string"),
    Wrong("gives_the_socket_as_input.py", "2", "fills_environ", "No byte of an answer"),
    Wrong("ends_with_its_application.py", "2", "outlives_its_application", "when it is called"),
    Wrong("guards_the_call_only.py", "2", "outlives_its_application", "in its second block"),
    Wrong("calls_by_keyword.py", "2", "calls_it_anew", "unexpected keyword argument"),
    Wrong("writes_headers_with_dashes.py", "2b", "step_2b", "HTTP_X-PROBE = '1'"),
    Wrong("leaves_the_path_encoded.py", "2b", "step_2b", "PATH_INFO = '/a%20b'"),
    Wrong("calls_every_header_http.py", "2b", "fills_environ", "HTTP_CONTENT_TYPE"),
    Wrong("reads_the_body_at_once.py", "2c", "step_2c", "and the body: my "),
    Wrong("gives_input_without_an_end.py", "2c", "fills_environ", "No byte of an answer"),
    Wrong("returns_no_write.py", "2d", "step_2d", "500 Internal"),
    Wrong("waits_for_the_last_block.py", "2d", "step_2d", "what came is b''"),
    Wrong("never_calls_close.py", "2e", "complete_pep3333", r"It missed close\(\)",
          also=("step_2e",)),  # the step has it, and what the step completes
    Wrong("calls_close_when_all_is_well.py", "2e", "complete_pep3333", "later it was not called"),
    Wrong("lets_a_failure_go_on.py", "2e", "step_2e", "nobody ever sees a 500"),
    Wrong("replaces_no_head.py", "2e", "complete_pep3333", "takes 3 positional arguments"),
    Wrong("counts_the_first_block.py", "2f", "sends_every_block", r"Length: 4\b",
          also=("step_2c",)),  # its answer has three blocks
    Wrong("says_no_length.py", "2f", "step_2f", "There is no Content-Length"),
    Wrong("says_its_length_twice.py", "2f", "passes_the_head_on", "no Content-Length: 12, once"),
    Wrong("answers_head_with_a_body.py", "2f", "step_2f", "one two"),
    Wrong("child_goes_on_accepting.py", "3h", "outlives_its_application",
          r"There were \d processes, and three clients later \d",
          also=("gives_the_port_back",)),  # they listen as well
    Wrong("gives_up_on_a_full_kernel.py", "3m", "sends_it_all", r"\d bytes of a body came, then"),
    Wrong("forgets_what_follows.py", "3n", "keeps_alive", r"are \[b'GET /\w+'\]"),
    Wrong("never_says_where_it_ends.py", "3n", "keeps_alive", "waited for the end"),
    Wrong("sends_chunks_to_http_1_0.py", "3n", "keeps_alive", "chunked"),
    Wrong("stays_open_for_http_1_0.py", "3n", "keeps_alive", "It did not close"),
]

WRONG = [*ANSWERS, *WORDS, *LOAD, *WSGI]

RIGHT = [  # a file, and a stage that it passes
    ("server.js", "1"),
    ("framework.js", "1"),
    ("server.pl", "1"),
    ("says_all_in_pieces.py", "1"),
    ("waits_for_the_client_to_close.py", "1"),
    ("selects.py", "1"),
    ("takes_a_second.py", "1"),
    ("answers_nothing_to_nothing.py", "3d"),
    ("leaves_out_what_is_empty.py", "2"),
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
