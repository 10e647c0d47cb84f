"""Claim 3.37: options, which come before the environment, and are refused in a sentence."""

import pytest

import lab
from tests.helpers.capstone import run
from tests.helpers.complete import APPS

pytestmark = pytest.mark.claim("3.37")


def test_help_names_every_option():
    ended = run("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    for word in ("--workers", "--threads", "--bind", "--timeout", "--hang-timeout", "--quiet",
                 "module:callable"):
        assert word in ended.stdout


@pytest.mark.parametrize("arguments", [
    ["--workers", "0", APPS], ["--workers", "-1", APPS], ["--workers", "many", APPS],
    ["--bind", "localhost", APPS], ["--bind", "localhost:x", APPS], ["--bind", ":70000", APPS],
    ["--bind", "999.0.0.1:8888", APPS], ["--timeout", "soon", APPS], ["--timeout", "-1", APPS],
    ["--threads", "-1", APPS], ["--threads", "many", APPS], ["--threads", "1.5", APPS],
    ["--hang-timeout", "-1", APPS], ["--hang-timeout", "soon", APPS],
    ["--hang-timeout", "nan", APPS], ["--timeout", "0", APPS], ["--timeout", "nan", APPS],
    ["--nonsense", APPS], ["--workers"],
    [APPS, "another:app"], [], ["application"], ["no_such_module:app"],
    ["tests.apps.various:no_such_callable"], ["tests.apps.various:no_application"],
], ids=" ".join)
def test_argument_that_is_none_is_said_in_a_sentence(arguments):
    ended = run(*arguments)
    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr
    *usage, sentence = ended.stderr.splitlines()
    assert not usage or usage[0].startswith("usage:")
    wrong = [word.strip("-") for word in arguments if word != APPS]
    assert not wrong or any(word in sentence for word in wrong), sentence


@pytest.mark.parametrize("variable", ["soon", "-1", "nan"])
def test_timeout_of_the_environment_that_is_none_is_said_in_a_sentence(variable):
    ended = run(APPS, TIMEOUT=variable)
    assert ended.returncode in (1, 2)
    assert "TIMEOUT" in ended.stderr.splitlines()[-1].upper()
    assert "Traceback" not in ended.stderr


def test_options_come_before_the_environment(start):
    port = lab.free_port()
    start("--bind", f"127.0.0.2:{port}", "--timeout", "0.5", host="127.0.0.2", port=port,
          HOST="127.0.0.3", PORT=lab.free_port(), TIMEOUT=60)
    assert [listener.address for listener in lab.listeners(port)] == ["127.0.0.2"]
    assert lab.ask(port, b"", host="127.0.0.2").end < 9
