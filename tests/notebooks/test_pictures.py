"""What a reader sees in each picture, as far as a program can tell."""

import html
import io
import os
import re
import signal
import socket

import nbformat
import pytest
from matplotlib.image import imread
from matplotlib.text import Annotation, Text
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from lab import book, pictures
from lab.clients import Answer
from lab.kernel import Connection, Process, descriptors

CLIENT, SERVER = ("127.0.0.1", 53412), ("127.0.0.1", 8888)
ENDS = (Connection(CLIENT, SERVER, "ESTABLISHED", 71),
        Connection(SERVER, CLIENT, "ESTABLISHED", 72))
STREAMS = {0: "/dev/null", 1: "/tmp/out", 2: "/tmp/out"}
HOLDING_BOTH = {**STREAMS, 3: "socket:[31]", 4: "socket:[41]"}
NAMES = {31: "listening socket", 41: "connection"}
LATE = TimeoutError("timed out")


def family(states):
    young = [Process(101 + number, 100, state, "python /some/where/webserver3c.py")
             for number, state in enumerate(states)]
    return pictures.Tree(Process(100, 1, "sleeping", "/usr/bin/python3 webserver3c.py"), young)


PICTURES = {
    "timeline": lambda: pictures.timeline([Answer(0.1, 0.2, 0.3), Answer(0.1, error=LATE)],
                                          title="t"),
    "timeline of who gave up": lambda: pictures.timeline([Answer(error=LATE)], seconds=2),
    "timeline of nobody": lambda: pictures.timeline([]),
    "timeline of nothing": lambda: pictures.timeline([Answer()]),
    "timeline of many": lambda: pictures.timeline([Answer(0.1, 0.2, 0.3)] * 128),
    "tree of one": lambda: pictures.process_tree(family([])),
    "tree of three": lambda: pictures.process_tree(family(["zombie", "running"]), title="t"),
    "tree of many": lambda: pictures.process_tree(family(["zombie"] * 130)),
    "tree of a process that is gone": lambda: pictures.process_tree(pictures.Tree(None, [])),
    "pending bits": lambda: pictures.pending_bits((128, {17}), title="t"),
    "pending bits unseen": lambda: pictures.pending_bits((0, None)),
    "interrupted call": lambda: pictures.interrupted_call("t"),
    "tables": lambda: pictures.descriptor_tables({8: HOLDING_BOTH, 9: HOLDING_BOTH}, NAMES,
                                                 title="t"),
    "tables of a leak": lambda: pictures.descriptor_tables(
        {4194303: {number: f"socket:[{number}]" for number in range(3, 256)}}),
    "tables of five": lambda: pictures.descriptor_tables(dict.fromkeys(range(5), HOLDING_BOTH)),
    "tables of none": lambda: pictures.descriptor_tables({}),
    "queue": lambda: pictures.listening_queue(1, 6, 3, 5, title="t"),
    "long queue": lambda: pictures.listening_queue(0, 900, 100, 1024),
    "pair": lambda: pictures.socket_pair(*ENDS, title="t"),
    "over time": lambda: pictures.over_time({"3f": [(0, 0), (1, 90)], "3g": [(0, 0)]}, "zombies"),
    "bars": lambda: pictures.bars({"kept": {"3z": 99_000.4, "bjoern": 120_000},
                                   "anew": {"3g": 1500, "3z": 38_000}}, "requests/s", title="t"),
    "bars of one": lambda: pictures.bars({"CPU": {"3z": 9.61}}, "CPU µs"),
    "bars of nobody": lambda: pictures.bars({"kept": {}}, "requests/s"),
    "curves": lambda: pictures.curves({"3g": [(0, 5), (200, 90)], "3k": [(0, 5), (200, 5.1)]},
                                      "clients", "MB", title="t"),
    "curves below a limit": lambda: pictures.curves({"3d": [(0, 5), (250, 256)]}, "clients",
                                                    "files", limit=(256, "the limit: 256")),
    "tree with somebody new": lambda: pictures.process_tree(family(["running"]),
                                                            before=family([])),
    "curves of nobody": lambda: pictures.curves({"3g": []}, "clients", "MB"),
    "dots": lambda: pictures.dots({"kept": {"3z": 11, "3h": None},
                                   "anew": {"3z": 21, "3h": 1300}}, "CPU µs", title="t"),
    "dots of one": lambda: pictures.dots({"CPU": {"3z": 9.61, "3h": 1300}}, "CPU µs"),
    "dots of nobody": lambda: pictures.dots({"kept": {}}, "CPU µs"),
    "who wakes": lambda: pictures.who_wakes({"in accept": [{0}, {1}], "in epoll": [{0, 1}, {1}]}),
    "nobody wakes": lambda: pictures.who_wakes({}, title="t"),
    "stations": lambda: pictures.stations([["clients"], ["nginx\nTLS"], ["one", "two"], ["rows"]],
                                          title="t"),
    "over no time": lambda: pictures.over_time({"3f": []}, "zombies", title="t"),
}


@pytest.fixture(params=PICTURES)
def draw(request):
    return PICTURES[request.param]


def texts(picture):
    return [text.get_text() for text in picture.findobj(Text) if text.get_text()]


def drawn(picture, kind):
    return picture.findobj(lambda artist: artist.get_gid() == kind)


def bars(picture):
    """For each row of a timeline, (from, to) of each of its phases."""
    rows = {}
    for bar in picture.axes[0].patches:
        rows.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(
            (round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)))
    return rows


def test_same_data_give_the_same_bytes_opaque_and_on_white_ground(draw):
    png = draw().png()
    assert png == draw().png()
    assert b"Software" not in png, "another matplotlib would give other bytes"
    pixels = imread(io.BytesIO(png))
    assert (pixels[..., 3:] == 1).all(), "some pixel is transparent: a dark page shines through"
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3] == 1).all(), "a corner is not white"


def test_nothing_leaves_the_picture(draw):
    picture = draw()
    width, height = picture.get_size_inches()
    used = picture.get_tightbbox()
    assert -0.01 <= used.x0 <= used.x1 <= width + 0.01, f"{used} is cut off at {width} inches"
    assert -0.01 <= used.y0 <= used.y1 <= height + 0.01, f"{used} is cut off at {height} inches"


def test_it_says_in_words_what_it_shows(draw):
    """A sentence for those who cannot see it: in a terminal, in a file and on a page."""
    picture = draw()
    data, about = picture._repr_mimebundle_()
    said = data["text/plain"]
    assert re.fullmatch(r"(t\. )?[^a-z ].{8,}\.", said), said
    assert not re.search(r"None|Picture|\[\]|\.\.", said), said
    assert about == {"image/png": {"alt": said}}
    assert f'alt="{html.escape(said)}"' in data["text/html"]


@pytest.mark.parametrize(("name", "said"), [
    ("timeline", "t. Two clients. client 1: connected after 0.1 s, answer after 0.2 s, end after "
     "0.3 s; client 2: connected after 0.1 s, gave up after 1.0 s without an answer."),
    ("timeline of many", "128 clients, each of them: connected after 0.10 s, answer after 0.20 s, "
     "end after 0.30 s."),
    ("tree of three", "t. PID 100, webserver3c.py, sleeping: two children: PID 101, "
     "webserver3c.py, zombie; PID 102, webserver3c.py, running."),
    ("tree with somebody new", "PID 100, webserver3c.py, sleeping: one child: PID 101, "
     "webserver3c.py, running, new."),
    ("tables of a leak", "Process, PID 4194303, holds 253 sockets. In the kernel: 253 times "
     "socket, one holder."),
    ("queue", "t. Accepted, held by the server: one client. Waiting in the kernel's queue, with a "
     "backlog of 5: 6. Outside, not connected: 3."),
    ("over time", "Zombies, over time. 3f: 0 at first, 90 at most, 90 after 1.00 s; "
     "3g: 0 at first, 0 at most, 0 after 0.00 s."),
    ("curves below a limit", "Files, by clients. 3d: from 5 at 0 to 256 at 250. A dashed line, "
     "the limit: 256."),
    ("bars", "t. Requests/s. 3z: 99,000 (kept), 38,000 (anew); bjoern: 120,000 (kept); "
     "3g: 1,500 (anew)."),
    ("who wakes", "Two clients, one after the other. How many workers woke, in accept: 1 of 2 for "
     "each client; in epoll: 1 to 2 of 2 for each client, worker 2 always."),
])
def test_the_words_are_those_of_the_data(name, said):
    assert PICTURES[name]().alt == said


def test_the_words_of_a_tree_name_who_is_no_longer_there():
    before, adopter = family(["running"]), Process(1, 0, "sleeping", "init")
    after = pictures.process_tree(pictures.Tree(adopter, before.children), before=before)
    assert after.alt.endswith("No longer there: PID 100.")


@pytest.mark.parametrize("chapter", book.chapters(), ids=lambda path: path.stem)
def test_committed_pictures_of_a_chapter_have_words_of_their_own(chapter):
    cells = nbformat.read(chapter, as_version=4).cells
    shown = [output for cell in cells for output in cell.get("outputs", [])
             if "image/png" in output.get("data", {})]
    said = [output.metadata.get("image/png", {}).get("alt") for output in shown]
    assert all(said), f"{chapter.name} was run before its pictures said what they show; run it."
    assert said == [output.data["text/plain"] for output in shown]
    assert len(set(said)) == len(said), f"two pictures of {chapter.name} say the same"
    assert not [output for output in shown if "text/html" in output.data]


def test_a_fresh_notebook_shows_a_picture_once(monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)  # a kernel that sees it keeps output
    folder = os.path.dirname(os.path.dirname(pictures.__file__))
    code = f"import sys; sys.path.insert(0, {folder!r})\nfrom lab import pictures\n"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(
        code + "pictures.listening_queue(1, 2, 3, 5)")])
    NotebookClient(notebook, kernel_name="python3").execute()
    assert [output.output_type for output in notebook.cells[0].outputs] == ["execute_result"]
    [output] = notebook.cells[0].outputs
    assert output.data["image/png"].startswith("iVBOR")
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]


def test_a_page_made_of_a_chapter_says_it_too():
    """By nbconvert's template classic; its template lab does not look for it."""
    picture = pictures.interrupted_call()
    data, about = picture._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=about)
    book.tidy_output(output)
    cell = nbformat.v4.new_code_cell("picture", outputs=[output])
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(
        nbformat.v4.new_notebook(cells=[cell]))
    assert f'<img alt="{picture.alt}"' in page


def test_what_a_picture_says_is_kept_with_a_chapter_and_its_twin_for_live_pages_is_not():
    data, about = pictures.interrupted_call(f"in {book.PROJECT}/part3")._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=about)
    book.tidy_output(output)
    assert set(output.data) == {"image/png", "text/plain"}
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
    assert output.data["text/plain"].startswith("in part3. The program calls accept")


def test_timeline_draws_each_phase_as_long_as_it_took():
    picture = pictures.timeline([Answer(0.1, 0.4, 0.9), Answer(0.2, None, 0.7)])
    assert bars(picture) == {0: [(0, 0.1), (0.1, 0.4), (0.4, 0.9)], 1: [(0, 0.2), (0.2, 0.7)]}
    assert {"0.90 s", "0.70 s", "client 1", "client 2"} <= set(texts(picture))


@pytest.mark.parametrize(("answer", "fate"), [
    (Answer(error=LATE), "gave up, not connected"),
    (Answer(0.1, error=LATE), "gave up, no answer"),
    (Answer(0.1, 0.2, error=LATE), "gave up, no end"),
    (Answer(0.1, 0.2), "no end seen"),  # a client that left by itself cannot know
])
def test_timeline_bar_without_an_end_runs_to_the_right_edge(answer, fate):
    picture = pictures.timeline([answer], seconds=3)
    assert bars(picture)[0][-1][1] == picture.axes[0].get_xlim()[1] == 3
    assert fate in texts(picture)


def test_timeline_says_what_broke_a_connection():
    picture = pictures.timeline([Answer(error=ConnectionRefusedError(111, "Connection refused"))])
    assert "Connection refused" in texts(picture)
    assert not [text for text in texts(picture) if "gave up" in text]


def test_timeline_explains_only_what_it_shows():
    ended = texts(pictures.timeline([Answer(0.001, 0.002, 0.9)]))
    assert {"has the answer, still connected", "the end"} <= set(ended)
    assert not {"waits to connect", "connected, waits for the answer"} & set(ended)
    late = texts(pictures.timeline([Answer(0.3, error=LATE)], seconds=1))
    assert {"waits to connect", "connected, waits for the answer"} <= set(late)
    assert not {"has the answer, still connected", "the end"} & set(late)


def test_timeline_takes_names_for_its_bars():
    assert "curl" in texts(pictures.timeline([Answer(0.1, 0.2, 0.3)], labels=["curl"]))


def test_process_tree_shows_pid_state_and_command_of_each():
    written = texts(pictures.process_tree(family(["zombie", "running"])))
    assert {"PID 100", "PID 101", "PID 102", "sleeping", "zombie", "running"} <= set(written)
    assert written.count("webserver3c.py") == 3, "the command is shown without folders"


@pytest.mark.parametrize(("command", "shown"), [
    ("/usr/bin/python3 -X dev part3/webserver3c.py", "webserver3c.py"),
    ("/a/Python.app/Python part3/webserver3c.py", "webserver3c.py"),
    ("python webserver3z.py part2.djangoapp:app --workers 4", "webserver3z.py"),
    ("sleep 60", "sleep 60"),
])
def test_process_tree_cuts_no_name_of_a_program(command, shown):
    tree = pictures.Tree(Process(100, 1, "sleeping", command), [])
    assert shown in texts(pictures.process_tree(tree))


def test_process_tree_marks_who_is_new():
    before = family(["sleeping"])
    after = pictures.process_tree(family(["sleeping", "running"]), before=before)
    assert (texts(after).count("new"), len(drawn(after, "new"))) == (1, 1)
    orphan = pictures.Tree(Process(1, 0, "sleeping", "init"), before.children)
    assert texts(pictures.process_tree(orphan, before=before)).count("new") == 1
    assert "new" not in texts(pictures.process_tree(before))


def test_process_tree_draws_a_zombie_with_a_dashed_line_and_without_a_fill():
    zombie, other = pictures.process_tree(family(["zombie", "sleeping"])).axes[0].patches[1:]
    assert zombie.get_linestyle() != other.get_linestyle()
    assert zombie.get_facecolor() == (1, 1, 1, 1) != other.get_facecolor()


def test_process_tree_counts_many_children_by_state():
    written = texts(pictures.process_tree(family(["zombie"] * 90 + ["sleeping"] * 38)))
    assert "128 children (zombie: 90, sleeping: 38)" in written
    assert written.count("zombie") == 90
    assert "228" in written


def test_process_tree_says_how_many_it_does_not_draw():
    written = texts(pictures.process_tree(family(["zombie"] * 400)))
    assert f"400 children (zombie: 400), the first {pictures.CELLS} drawn" in written
    assert written.count("zombie") == pictures.CELLS


def test_process_tree_of_a_pid_is_what_the_kernel_has_now():
    assert f"PID {os.getpid()}" in texts(pictures.process_tree(os.getpid()))
    assert "no such process" in texts(pictures.process_tree(2 ** 22 + 1))


@pytest.mark.parametrize(("step", "parent", "child", "holders", "lines"), [
    ("after accept", HOLDING_BOTH, None, ["1 holder", "1 holder"], 2),
    ("after fork", HOLDING_BOTH, HOLDING_BOTH, ["2 holders", "2 holders"], 4),
    ("child's close", HOLDING_BOTH, {**STREAMS, 4: "socket:[41]"}, ["1 holder", "2 holders"], 3),
    ("parent's close", {**STREAMS, 3: "socket:[31]"}, {**STREAMS, 4: "socket:[41]"},
     ["1 holder", "1 holder"], 2),
    ("child's end", {**STREAMS, 3: "socket:[31]"}, {}, ["1 holder", "0 holders"], 1),
])
def test_descriptor_tables_draw_a_shared_socket_once(step, parent, child, holders, lines):
    tables = {8: parent} if child is None else {8: parent, 9: child}
    picture = pictures.descriptor_tables(tables, NAMES, {8: "parent", 9: "child"})
    written = texts(picture)
    assert len(drawn(picture, "socket")) == 2, f"{step}: two sockets, whoever holds them"
    assert len(drawn(picture, "line")) == lines
    assert [text for text in written if text.endswith(("holder", "holders"))] == holders
    assert {"socket:[31]", "socket:[41]", "parent, PID 8"} <= set(written)


def test_descriptor_tables_show_what_a_close_has_freed():
    closed = {**STREAMS, 4: "socket:[41]"}
    assert "free" in texts(pictures.descriptor_tables({8: HOLDING_BOTH, 9: closed}))
    assert "free" not in texts(pictures.descriptor_tables({8: HOLDING_BOTH, 9: HOLDING_BOTH}))


def test_descriptor_tables_count_two_descriptors_of_one_process():
    with socket.socket() as one, one.dup():
        tables = {os.getpid(): descriptors(os.getpid())}
        inode = os.fstat(one.fileno()).st_ino
        mine = {number: target for number, target in tables[os.getpid()].items()
                if target == f"socket:[{inode}]"}
    picture = pictures.descriptor_tables({os.getpid(): mine}, {inode: "mine"})
    assert len(drawn(picture, "socket")) == 1
    assert "2 holders" in texts(picture)


def test_descriptor_tables_say_how_many_entries_they_leave_out():
    table = {number: f"socket:[{number}]" for number in range(250)}
    written = texts(pictures.descriptor_tables({8: table}))
    shown = [text for text in written if text.isdigit()]
    assert f"{250 - len(shown)} more" in written
    assert {"0", "249"} <= set(shown)


def test_listening_queue_draws_each_client_and_each_place():
    picture = pictures.listening_queue(1, 6, 3, 5)
    assert {"1 accepted", "6 waiting", "3 outside"} <= set(texts(picture))
    assert len(drawn(picture, "client")) == 10
    places = drawn(picture, "place")
    assert len(places) == 6
    assert places[-1].get_linestyle() != places[0].get_linestyle(), "the sixth is beyond listen(5)"


def test_listening_queue_draws_its_places_when_it_is_empty():
    picture = pictures.listening_queue(0, 0, 0, 5)
    assert (len(drawn(picture, "client")), len(drawn(picture, "place"))) == (0, 5)


def test_listening_queue_counts_what_it_cannot_draw():
    picture = pictures.listening_queue(0, 0, 100, 5)
    assert f"and {100 - len(drawn(picture, 'client'))} more" in texts(picture)


def test_socket_pair_shows_the_same_values_from_either_side():
    written = texts(pictures.socket_pair(*ENDS))
    addresses = [text for text in written if text.startswith("127.0.0.1:")]
    assert addresses == ["127.0.0.1:53412", "127.0.0.1:8888", "127.0.0.1:8888", "127.0.0.1:53412"]


def test_socket_pair_says_when_nobody_holds_an_end():
    gone = ENDS[1]._replace(state="TIME_WAIT", inode=0)
    assert "TIME_WAIT   held by no process" in texts(pictures.socket_pair(ENDS[0], gone))


def test_socket_pair_refuses_ends_of_different_connections():
    with pytest.raises(ValueError, match="Not two ends of one connection"):
        pictures.socket_pair(ENDS[0], ENDS[0])


def test_over_time_names_each_line_where_it_ends():
    picture = pictures.over_time({"3f": [(0, 0), (1, 90)], "3g": [(0, 3), (1, 0)]}, "zombies")
    assert {"3f: 90", "3g: 0", "zombies", "seconds"} <= set(texts(picture))


def test_over_time_keeps_the_names_of_equal_lines_apart():
    picture = pictures.over_time({"3g": [(0, 0), (1, 0)], "3h": [(0, 0), (1, 0)]}, "zombies")
    picture.png()
    one, other = [text.get_window_extent() for text in picture.findobj(Text)
                  if text.get_text() in ("3g: 0", "3h: 0")]
    assert not one.overlaps(other)


def test_pending_bits_are_a_square_for_each_death_and_one_bit_for_all_of_them():
    picture = pictures.pending_bits((128, {signal.SIGCHLD}))
    assert len(drawn(picture, "dead")) == 128
    assert (len(drawn(picture, "set")), len(drawn(picture, "bit"))) == (1, 30)
    assert f"bits set: {int(signal.SIGCHLD)}, SIGCHLD" in texts(picture)


def test_curves_have_a_point_for_each_pair_and_a_name_at_the_end():
    picture = pictures.curves({"3g": [(0, 5), (100, 47), (200, 89.16)], "3k": [(0, 4), (200, 5)]},
                              "clients", "MB")
    points = [curve.get_xydata().tolist() for curve in drawn(picture, "curve")]
    assert points == [[[0, 5], [100, 47], [200, 89.16]], [[0, 4], [200, 5]]]
    assert {"3g: 89.2", "3k: 5", "clients", "MB"} <= set(texts(picture))


def test_curves_begin_at_zero():
    low, high = pictures.curves({"3g": [(0, 5), (200, 90)]}, "x", "y").axes[0].get_ylim()
    assert low == 0
    assert high >= 90


def test_curves_show_the_limit_that_they_are_given():
    picture = pictures.curves({"3d": [(0, 5), (250, 256)]}, "x", "y", limit=(256, "the limit"))
    [line] = drawn(picture, "limit")
    assert list(line.get_ydata()) == [256, 256]
    assert "the limit" in texts(picture)
    assert not drawn(pictures.curves({"3d": [(0, 5)]}, "x", "y"), "limit")


def test_bars_are_as_long_as_their_figures_and_only_there_where_one_is():
    picture = pictures.bars({"kept": {"3z": 99_000.4, "wsgiref": None}, "anew": {"3g": 1500,
                             "3z": 38_000, "wsgiref": 4.567}}, "requests/s")
    lengths = [bar.get_width() for bar in drawn(picture, "bar")]
    assert lengths == [99_000.4, 38_000, 4.567, 1500]
    assert {"3z", "wsgiref", "3g", "99,000", "38,000", "4.57", "1,500", "kept", "anew",
            "requests/s"} <= set(texts(picture))


def test_bars_of_one_series_need_no_key():
    assert "CPU" not in texts(pictures.bars({"CPU": {"3z": 9.61}}, "µs"))


def test_tree_marks_those_who_were_not_there_before():
    picture = pictures.process_tree(family(["running"] * 3), before=family(["running"]))
    assert len(drawn(picture, "new")) == 2
    assert texts(picture).count("new") == 2
    assert not drawn(pictures.process_tree(family(["running"] * 3)), "new")


def test_tree_of_many_counts_those_who_are_new():
    picture = pictures.process_tree(family(["running"] * 20), before=family(["running"] * 12))
    assert len(drawn(picture, "new")) == 8
    assert "20 children (running: 20), 8 new in thick frames" in texts(picture)
    assert "new" not in texts(picture), "there is no room for the word in a small cell"


def test_line_that_stops_early_has_its_name_there():
    picture = pictures.curves({"3c": [(0, 4), (300, 4)], "3d": [(0, 4), (250, 255)]}, "x", "y")
    [name] = [text for text in picture.findobj(Annotation) if text.get_text() == "3d: 255"]
    assert name.xy == (250, 255)


def test_lines_differ_in_more_than_their_colour():
    picture = pictures.curves({"3c": [(0, 4), (9, 4)], "3d": [(0, 4), (9, 5)]}, "x", "y")
    one, other = drawn(picture, "curve")
    assert one.get_linestyle() != other.get_linestyle()
    assert one.get_marker() != other.get_marker()


def test_each_wake_up_is_a_filled_place():
    picture = pictures.who_wakes({"in accept": [{0}, {1}], "in epoll": [{0, 1}, {1}]})
    assert len(drawn(picture, "woke")) == 5
    assert len(drawn(picture, "slept")) == 3


def test_dots_stand_where_their_figures_are():
    picture = pictures.dots({"kept": {"3z": 11, "3h": None}, "anew": {"3z": 21, "3h": 1300}}, "µs")
    kept, anew = drawn(picture, "dots")
    assert list(kept.get_xdata()) == [11]
    assert list(anew.get_xdata()) == [21, 1300]
    assert picture.axes[0].get_xscale() == "log"


def test_stations_have_a_line_to_each_of_the_next():
    picture = pictures.stations([["clients"], ["nginx\nTLS"], ["one", "two"], ["a", "b", "c"]])
    assert len(drawn(picture, "line")) == 1 + 2 + 6
    assert {"clients", "nginx", "TLS", "one", "two", "a", "b", "c"} <= set(texts(picture))
