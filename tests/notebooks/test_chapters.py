"""The chapters: each runs from top to bottom, and what is committed was made that way."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyter_client.manager import start_new_kernel

import lab
from lab import book
from tests.helpers.fresh import differences
from tests.spec.stages import STAGES, claims_of_tests

CHAPTERS = {  # the claims that each chapter shows
    "1_hello": ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "4.3", "4.4"],
    "2_wsgi": ["2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.11",
               "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19"],
    "3_1_one_at_a_time": ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "4.2"],
    "3_2_fork": ["3.8", "3.9", "3.10", "4.1"],
    "3_3_descriptors": ["3.11", "3.12", "4.5"],
    "3_4_zombies": ["3.13", "3.14", "3.15", "3.16", "3.17"],
    "3_5_signals": ["3.18", "3.19", "3.20", "3.21", "3.22", "3.23", "3.24",
                    "4.6", "4.7", "4.8", "4.9"],
    "3_6_concurrent_wsgi": ["3.25"],
    "3_7_past_fork": ["3.26", "3.27", "3.28", "4.10"],
    "3_8_a_server_to_use": ["3.29", "3.30", "3.31", "3.32", "3.33", "3.34", "3.35", "3.36", "3.37",
                            "3.38", "3.39"],
    "4_in_production": ["2.10"],
}
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


def read(chapter):
    return nbformat.read(lab.PROJECT / f"notebooks/{chapter}.ipynb", as_version=4)


def code_cells(chapter):
    return [cell for cell in read(chapter).cells if cell.cell_type == "code" and cell.source]


def text_of(output):
    """All text of an output, as a reader sees it."""
    data = output.get("data", {})
    return "\n".join([output.get("text", ""), *output.get("traceback", []),
                      *[text for kind, text in data.items() if kind.startswith("text/")]])


@every_chapter
@pytest.mark.timeout(180)
def test_chapter_shows_what_is_committed_and_leaves_no_process(chapter, folder):
    """Run from top to bottom, in a process of its own: a kernel is not to know of pytest."""
    mark = f"{chapter}-{os.getpid()}"
    ended = subprocess.run(
        [sys.executable, "-m", "lab.book", "--into", folder, f"{chapter}.ipynb"],
        cwd=book.CHAPTERS, capture_output=True, text=True, timeout=170,
        env={**os.environ, "LAB_TEST": mark})
    assert ended.returncode == 0, ended.stderr[-3000:]
    left = lab.eventually(lambda: not marked(mark), 20)
    assert left, f"{marked(mark)} outlived the chapter."
    if sys.platform == "linux":  # the outputs were made there: elsewhere errors have other numbers
        fresh = nbformat.read(folder / f"{chapter}.ipynb", as_version=4)
        others = differences(read(chapter).cells, fresh.cells)
        assert not others, "\n\n".join(others) + (
            "\nThe committed outputs are others than those of a fresh run: make notebooks runs all "
            "chapters again. What no two runs have in common: see tests/helpers/fresh.py.")


def marked(mark):
    """The processes that have inherited LAB_TEST=mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("LAB_TEST") == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


@every_chapter
def test_few_cells_are_noisy(chapter):
    """What is tagged so is compared by its words alone."""
    shows = [cell for cell in code_cells(chapter) if cell.outputs]
    noisy = [cell for cell in shows if "noisy" in cell.metadata.get("tags", [])]
    assert len(noisy) <= len(shows) / 4, [cell.source for cell in noisy]


@every_chapter
def test_committed_chapter_was_run_in_order_from_the_top(chapter):
    counts = [cell.execution_count for cell in code_cells(chapter)]
    assert counts == list(range(1, len(counts) + 1))


@every_chapter
def test_committed_chapter_holds_no_error_that_its_cell_does_not_announce(chapter):
    for cell in code_cells(chapter):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert not errors or "raises-exception" in cell.metadata.get("tags", []), cell.source


@every_chapter
def test_committed_chapter_does_not_tell_whose_machine_it_was_made_on(chapter):
    names = [str(Path.home()), str(lab.PROJECT), "site-packages", "/home/", "/root", "/Users/",
             "pyenv"]
    if "." in socket.gethostname() or "-" in socket.gethostname():
        names.append(socket.gethostname())
    for cell in code_cells(chapter):
        for output in cell.outputs:
            assert not [name for name in names if name in text_of(output)], text_of(output)


def sections(chapter):
    """The sections of a chapter that have a number: lists of cells, the heading first."""
    cells = read(chapter).cells
    starts = [number for number, cell in enumerate(cells) if cell.cell_type == "markdown"
              and cell.source.startswith("## ")]
    found = [cells[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return [section for section in found if re.match(r"## \d", section[0].source)]


@every_chapter
def test_sections_are_numbered_questions(chapter):
    """What is found out does not stand in the heading."""
    headings = [section[0].source.splitlines()[0] for section in sections(chapter)]
    for number, heading in enumerate(headings, 1):
        assert heading.startswith(f"## {number}. "), heading
        assert heading.endswith("?"), heading


@every_chapter
def test_section_is_no_longer_than_one_can_follow(chapter):
    for section in sections(chapter):
        assert len(section) <= 14, section[0].source


@every_chapter
def test_every_section_runs_something_and_says_why(chapter):
    for section in sections(chapter):
        heading = section[0].source
        ran = [number for number, cell in enumerate(section) if cell.cell_type == "code"]
        assert ran, f"{heading} runs nothing"
        assert any(cell.cell_type == "markdown" for cell in section[ran[0] + 1:]), heading


@every_chapter
def test_a_guess_comes_before_what_was_seen_and_in_its_section(chapter):
    """Three to eight in a chapter, and the last cell of them says how many were right."""
    made = []
    for number, section in enumerate(sections(chapter), 1):
        source = "\n".join(cell.source for cell in section if cell.cell_type == "code")
        for name, of_section in re.findall(r"^(\w+) = guess\((\d+),", source, re.MULTILINE):
            assert int(of_section) == number, section[0].source
            assert f"{name}.seen(" in source.partition(f"{name} = guess(")[2], name
            made.append(name)
    assert 3 <= len(made) <= 8, made
    assert any(cell.source.strip() == "score()" for cell in code_cells(chapter))


@every_chapter
def test_code_cells_are_short(chapter):
    for cell in code_cells(chapter):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        limit = 25 if lines[0].startswith("%%") else 12
        assert len(lines) <= limit, cell.source


@every_chapter
def test_chapter_ends_with_what_is_wrong_and_exercises_that_check_themselves(chapter):
    source = "\n".join(cell.source for cell in read(chapter).cells)
    assert "What we can do now, and what is still wrong" in source
    exercises = source.partition("## Exercises")[2]
    assert len(re.findall(r"lab\.compare\(|check_server\(", exercises)) >= 2, exercises


def claims_of_notebooks():
    """{claim: chapter}, by what is noted down at the headings."""
    return {claim: chapter for chapter in CHAPTERS for cell in read(chapter).cells
            for claim in cell.metadata.get("claims", [])}


def test_every_claim_has_its_section():
    wanted = {claim: chapter for chapter, claims in CHAPTERS.items() for claim in claims}
    assert claims_of_notebooks() == wanted


def test_no_claim_stands_in_one_place_only():
    """Tests, notebooks and stages: a claim that only one of them knows is a mistake there."""
    tests, notebooks = claims_of_tests(), set(claims_of_notebooks())
    stages = {claim for stage in STAGES.values() for claim in stage.claims}
    assert notebooks <= tests, "a section without a test"
    assert tests <= notebooks, "a test without a section"
    assert stages <= tests, "a stage's claim without a test"
    assert stages <= notebooks, "a stage's claim without a section"


def test_all_chapters_are_here():
    assert [path.stem for path in book.chapters()] == sorted(CHAPTERS)


@pytest.fixture
def kernel():
    """A fresh kernel in notebooks/, as (manager, client); it is gone after the test."""
    manager, client = start_new_kernel(cwd=str(book.CHAPTERS))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


def test_kernel_that_is_killed_takes_its_servers_with_it(kernel):
    """What a restart in the middle of a chapter does."""
    manager, client = kernel
    client.execute("import lab; server = lab.start_stage('3c', DELAY=60); "
                   "lab.ask(server.port, until=b'World!'); print(*server.members())")
    family = [int(pid) for pid in next_output(client).split()]
    assert len(family) == 2
    os.kill(manager.provisioner.pid, signal.SIGKILL)
    assert lab.eventually(lambda: not any(map(lab.process, family)), 20)


def test_cell_that_is_interrupted_ends_its_server(kernel):
    manager, client = kernel
    client.execute("import lab, time\nwith lab.start_stage('3c', DELAY=60) as server:\n"
                   "    print(*server.members(), flush=True)\n    time.sleep(60)")
    family = [int(pid) for pid in next_output(client).split()]
    assert all(map(lab.process, family))
    manager.interrupt_kernel()
    assert lab.eventually(lambda: not any(map(lab.process, family)), 20)


def next_output(client):
    """The next text that the kernel prints to stdout."""
    while True:
        message = client.get_iopub_msg(timeout=30)
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            return message["content"]["text"]
