"""Cells that want a program, tables, and the servers that people use beside ours."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import lab
from lab import needs, peers, production
from lab.tables import Table

APPLICATIONS = {"wsgiapp": "a simple WSGI application", "flaskapp": "Flask",
                "pyramidapp": "Pyramid", "djangoapp": "Django"}


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


def test_other_errors_are_errors(shell):
    with pytest.raises(ZeroDivisionError):
        run(shell, "%%needs sh\n1 / 0")


def test_table_is_lined_up_where_there_is_only_text():
    assert repr(Table(["", "one"], [["a", 1], ["long", ""]])) == "      one\na     1\nlong"


def test_table_is_one_of_markdown_where_that_is_drawn():
    drawn = Table(["", "one"], [["a", 1]])._repr_markdown_()
    assert drawn == "|  | one |\n| --- | --- |\n| a | 1 |"


@pytest.mark.claim("2.10")
@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("name", ["uWSGI", "ours", "ours, by a file"])
def test_any_application_has_the_same_body_behind_nginx(name, application, servers):
    try:
        peer = servers.enter_context(peers.start(name, f"part2.{application}:app"))
        changes = peers.SPEAKS_UWSGI if name == "uWSGI" else {}
        nginx = servers.enter_context(production.start_nginx([peer.place], changes))
    except lab.CannotSee as reason:
        pytest.skip(str(reason))
    servers.pids += [*peer.members(), *nginx.members()]
    answer = lab.ask(nginx.port)
    assert answer.body.decode() == f"Hello world from {APPLICATIONS[application]}!\n"
    assert answer.headers["server"] == "nginx"


def test_peer_leaves_no_folder():
    with peers.start("ours, by a file", "part2.wsgiapp:app") as peer:
        assert (peer.kept.path / "socket").is_socket()
    assert not peer.kept.path.exists()
