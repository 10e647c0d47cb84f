"""Claim 2.2: an application is named as module:callable, and a wrong name is said in a line."""

import os
import subprocess

import pytest

import lab
from tests.helpers.scripts import assert_one_line
from tests.spec.stages import STAGES

WSGI_STAGES = [stage for stage in STAGES.values() if stage.wsgi]
every_wsgi_stage = pytest.mark.parametrize("stage", WSGI_STAGES, ids=lambda stage: stage.name)


def load(stage, folder, *arguments):
    """Start the stage in a folder with these arguments; it is expected to end by itself."""
    return subprocess.run(
        lab.stage_command(stage.name, *arguments), cwd=folder, capture_output=True, text=True,
        timeout=30, env={**os.environ, "PORT": str(lab.free_port())})


@pytest.mark.claim("2.2")
@every_wsgi_stage
@pytest.mark.parametrize("arguments", [[], ["flaskapp"], ["a:b", "c:d"]],
                         ids=["none", "no callable", "two"])
def test_without_one_application_it_says_that_it_wants_one(stage, arguments, folder):
    assert_one_line(load(stage, folder, *arguments), "module:callable")


@pytest.mark.claim("2.2")
@every_wsgi_stage
@pytest.mark.parametrize(("name", "words"), [
    ("nowhere:app", ["nowhere:app", "No module named 'nowhere'"]),
    ("good:nothing", ["good:nothing", "has no attribute 'nothing'"]),
    ("good:number", ["good:number", "number cannot be called"]),
    ("good:", ["good:"]),
    (":app", [":app"]),
    ("fails:app", ["fails:app", "ZeroDivisionError", "fails.py:3"]),
    ("imports:app", ["imports:app", "No module named 'nowhere'", "imports.py:2"]),
    ("broken:app", ["broken:app", "SyntaxError", "broken.py, line 1"]),
])
def test_application_that_cannot_be_loaded_is_said_in_one_line(stage, name, words, folder):
    (folder / "good.py").write_text("number = 1\n")
    (folder / "fails.py").write_text("\n\n1 / 0\n")
    (folder / "imports.py").write_text("import sys\nimport nowhere\n")
    (folder / "broken.py").write_text("def\n")
    ended = load(stage, folder, name)
    assert_one_line(ended, "Cannot load", *words)
    assert "importlib" not in ended.stderr
    assert os.path.basename(stage.file) not in ended.stderr


@pytest.mark.claim("2.2")
@every_wsgi_stage
def test_application_in_the_current_folder_is_found(stage, folder, start_stage):
    (folder / "mine.py").write_text("from part2.wsgiapp import app\n")
    server = start_stage(stage.name, "mine:app", cwd=folder, PYTHONPATH=lab.PROJECT)
    assert lab.ask(server.port).status == 200


@pytest.mark.claim("2.3")
@every_wsgi_stage
@pytest.mark.parametrize("module", ["flaskapp", "pyramidapp", "djangoapp", "wsgiapp"])
def test_application_is_found_from_part2_as_well(stage, module, start_stage):
    server = start_stage(stage.name, f"{module}:app", cwd=lab.PROJECT / "part2")
    assert lab.ask(server.port).status == 200


@pytest.mark.claim("2.3")
@pytest.mark.parametrize("module", ["flaskapp", "pyramidapp", "djangoapp", "wsgiapp"])
def test_no_warning_on_the_readers_screen(module, start_stage):
    server = start_stage("3h", f"part2.{module}:app")
    assert lab.ask(server.port).status == 200
    assert server.stderr == ""


def test_django_settings_hold_no_secret():
    settings = (lab.PROJECT / "part2/helloworld/settings.py").read_text()
    assert "secrets.token_urlsafe" in settings
