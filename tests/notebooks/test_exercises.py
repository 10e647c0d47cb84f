"""What a cell says of an answer, and when it is asked to run make."""

import threading

import pytest

import lab
from lab import exercises


def test_make_in_a_cell_says_what_its_command_says_and_no_more(folder, monkeypatch, capsys):
    """A kernel sets FORCE_COLOR: a bar that grows would be a hundred lines of a cell."""
    folder.joinpath("Makefile").write_text(
        "check:\n\t@echo stage $(STAGE), colours: $$FORCE_COLOR$$CLICOLOR_FORCE.; exit 1\n")
    monkeypatch.setattr(exercises, "PROJECT", folder)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    monkeypatch.setenv("MAKELEVEL", "1")  # the chapters are opened by make
    exercises.make("check STAGE=3c")
    assert capsys.readouterr().out == "stage 3c, colours: .\n"


def test_what_make_says_is_shown_as_it_comes(folder, monkeypatch, capsys):
    """A check may take half a minute, and nobody likes to look at an empty cell."""
    folder.joinpath("Makefile").write_text(
        "check:\n\t@echo the first line; while [ ! -e seen ]; do sleep 0.05; done; echo the last\n")
    monkeypatch.setattr(exercises, "PROJECT", folder)
    running = threading.Thread(target=exercises.make, args=["check"])
    running.start()
    shown = []
    came = lab.eventually(lambda: shown.append(capsys.readouterr().out) or "".join(shown), 10)
    folder.joinpath("seen").touch()
    running.join()
    assert came == "the first line\n"
    assert capsys.readouterr().out == "the last\n"


@pytest.mark.parametrize(("answer", "said"), [
    (..., "Put your answer where the three dots are, and run the cell again.\n"),
    (0.5, "Right.\n"), (3, "Not so. Think again.\n"),
    ("0.5 s", "'0.5 s' is no number. Write one as Python does: 3, or 0.5.\n"),
    ((0, 5), "(0, 5) is no number. Write one as Python does: 3, or 0.5.\n")])
def test_an_answer_is_judged_and_one_that_is_no_number_told_so(answer, said, capsys):
    exercises.compare(answer, lambda seconds: abs(seconds - 0.5) < 0.1, "Think again.")
    assert capsys.readouterr().out == said


def test_a_text_is_no_number_either_where_one_was_counted(capsys):
    exercises.compare("8", 8, "Think again.")
    exercises.compare(7, 8, "Think again.")
    exercises.compare("the end", "the end", "Think again.")
    assert capsys.readouterr().out == (
        "'8' is no number. Write one as Python does: 3, or 0.5.\nNot so. Think again.\nRight.\n")
