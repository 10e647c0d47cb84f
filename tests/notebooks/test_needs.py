"""Cells that want a program, tables, and how servers that people use are started."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import lab
from lab import needs, peers
from lab.tables import Table


@pytest.fixture
def shell(monkeypatch):
    """An IPython that knows %%needs."""
    shell = InteractiveShell()
    monkeypatch.setattr(needs, "get_ipython", lambda: shell)
    needs.load_ipython_extension(shell)
    shell.user_ns["CannotSee"] = lab.CannotSee
    return shell


def run(shell, cell):
    """Run a cell: (its value, what it printed). Its error is raised."""
    with capture_output() as seen:
        result = shell.run_cell(cell)
    result.raise_error()
    return result.result, seen.stdout


def test_cell_runs_where_the_program_is(shell):
    value, _ = run(shell, "%%needs sh\nname = 6\nname * 7")
    assert value == 42
    assert shell.user_ns["name"] == 6


def test_cell_whose_last_line_has_no_value_has_none(shell):
    value, _ = run(shell, "%%needs sh\nname = 6")
    assert value is None


def test_cell_says_what_is_missing_and_does_not_run(shell):
    value, said = run(shell, "%%needs sh no-such-program\nname = 6")
    assert value is None
    assert said.startswith("no-such-program: not installed here")
    assert "name" not in shell.user_ns


def test_cell_says_what_the_system_does_not_show(shell):
    _, said = run(shell, "%%needs sh\nraise CannotSee('Not to be seen here.')")
    assert said == "Not to be seen here.\n"


def test_function_that_cannot_see_returns_the_reason():
    def look(name):
        if name == "uwsgi":
            raise lab.CannotSee("There is no uwsgi here.")
        return 6

    assert needs.reason_if_missing(look)("uwsgi") == "There is no uwsgi here."
    assert needs.reason_if_missing(look)("nginx") is None
    with pytest.raises(TypeError):
        needs.reason_if_missing(look)()


def test_other_errors_are_errors(shell):
    with pytest.raises(ZeroDivisionError):
        run(shell, "%%needs sh\n1 / 0")


def test_table_is_lined_up_where_there_is_only_text():
    assert repr(Table(["", "one"], [["a", 1], ["long", ""]])) == "      one\na     1\nlong"


def test_table_is_one_of_markdown_where_that_is_drawn():
    drawn = Table(["", "one"], [["a", 1]])._repr_markdown_()
    assert drawn == "|  | one |\n| --- | --- |\n| a | 1 |"


def test_peer_leaves_no_folder():
    with peers.start("ours, by a file", "part2.wsgiapp:app") as peer:
        assert (peer.kept.path / "socket").is_socket()
    assert not peer.kept.path.exists()


def test_uwsgi_without_python_is_said_in_a_sentence(folder, monkeypatch):
    (folder / "uwsgi").write_text("#!/bin/sh\nexit 1\n")
    (folder / "uwsgi").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    with pytest.raises(lab.CannotSee, match="uwsgi-plugin-python3"):
        peers.start("uWSGI", "part2.wsgiapp:app")


def test_application_that_is_not_there_is_no_matter_of_the_system():
    with pytest.raises(lab.ServerError, match="no_such_application"):
        peers.start("Waitress", "part2.no_such_application:app")
