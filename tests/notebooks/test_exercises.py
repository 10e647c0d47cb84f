"""What a cell says when it is asked to run make."""

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
