"""JupyterLab as `make lab` starts it, and a chapter that is run in a real browser."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
from selenium.webdriver.support.ui import WebDriverWait

import lab
from tests.helpers.browser import chromium, needs_chromium

READY = """
    const notebook = window.jupyterapp?.shell.currentWidget;
    return notebook?.sessionContext?.session?.kernel?.status === 'idle'
        && !!document.querySelector('.jp-Notebook .jp-CodeCell');
"""
RUN_ALL = """
    const run = name => window.jupyterapp.commands.execute(name);
    run('notebook:clear-all-cell-outputs').then(() => run('notebook:run-all-cells'))
        .then(() => window.allHaveRun = true);
"""
OUTPUTS = """
    const outputs = [...document.querySelectorAll('.jp-OutputArea-output')];
    return outputs.map(output => output.textContent).join('\\n');
"""
PICTURES = "return document.querySelectorAll('.jp-OutputArea-output img').length"
PICTURES_WITHOUT_WORDS = """
    const pictures = [...document.querySelectorAll('.jp-OutputArea-output img')];
    return pictures.filter(picture => !picture.alt).map(picture => picture.outerHTML.slice(0, 200));
"""
RUN_TO_FIRST_GUESS = """
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const cells = notebook.widgets.map(cell => cell.model.sharedModel.getSource());
    notebook.activeCellIndex = cells.findIndex(source => source.includes(' = guess('));
    const run = name => window.jupyterapp.commands.execute(name);
    run('notebook:clear-all-cell-outputs').then(() => run('notebook:run-all-above'))
        .then(() => run('notebook:run-cell'));
"""
CHOICES = "return [...document.querySelectorAll('.jp-OutputArea input[type=radio]')]"
FIRST_IS_CHOSEN = f"{CHOICES}[0]?.checked"
SAVE_AND_RESTART = """
    const panel = window.jupyterapp.shell.currentWidget;
    panel.context.save().then(() => panel.sessionContext.session.kernel.restart())
        .then(() => window.hasRestarted = true);
"""


@pytest.fixture(scope="module")
def jupyter():
    """A JupyterLab on a copy of the project, so that what it saves is gone with the copy."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder, "project")
        for name in ("part1", "part2", "part3", "notebooks"):
            shutil.copytree(lab.PROJECT / name, copy / name)
        root = ["--allow-root"] if os.geteuid() == 0 else []
        port = lab.free_port()
        with lab.start(
            [sys.executable, "-m", "jupyterlab", f"--notebook-dir={copy}/notebooks",
             f"--port={port}", "--ServerApp.port_retries=0", "--no-browser",
             f"--LabApp.app_settings_dir={copy}/notebooks/lab/jupyterlab",
             "--expose-app-in-browser", "--IdentityProvider.token=", *root],
            port=port, within=60, HOME=folder, JUPYTER_RUNTIME_DIR=f"{folder}/runtime",
            IPYTHONDIR=f"{folder}/ipython", PYTEST_CURRENT_TEST=None,
        ) as server:
            yield server


@pytest.mark.xdist_group("jupyterlab")
@pytest.mark.timeout(150)
def test_jupyterlab_starts_and_answers(jupyter):
    url = f"http://127.0.0.1:{jupyter.port}"
    with urllib.request.urlopen(f"{url}/api/contents", timeout=60) as page:
        names = [entry["name"] for entry in json.load(page)["content"]]
    assert "1_hello.ipynb" in names
    with urllib.request.urlopen(f"{url}/lab", timeout=60) as page:
        assert "JupyterLab" in page.read().decode()


@needs_chromium
@pytest.mark.xdist_group("jupyterlab")
@pytest.mark.timeout(150)
def test_chapter_1_runs_in_a_browser(jupyter):
    with chromium() as browser:
        browser.get(f"http://127.0.0.1:{jupyter.port}/lab/tree/1_hello.ipynb")
        wait = WebDriverWait(browser, 60)
        wait.until(lambda browser: browser.execute_script(READY))
        browser.execute_script(RUN_ALL)
        wait.until(lambda browser: browser.execute_script("return window.allHaveRun"))
        assert "Hello, World!" in browser.execute_script(OUTPUTS)
        assert browser.execute_script(PICTURES) > 0
        assert browser.execute_script(PICTURES_WITHOUT_WORDS) == []
        assert "Jupyter news" not in browser.execute_script("return document.body.textContent")


@needs_chromium
@pytest.mark.xdist_group("jupyterlab")
@pytest.mark.timeout(150)
def test_guess_is_still_there_when_the_chapter_is_opened_again(jupyter):
    """With another kernel, which knows nothing of it: on the next day, for one."""
    with chromium() as browser:
        browser.set_window_size(1400, 2000)  # what is out of sight is not drawn
        wait = WebDriverWait(browser, 30)

        def open_chapter():
            browser.get(f"http://127.0.0.1:{jupyter.port}/lab/tree/3_1_one_at_a_time.ipynb")
            wait.until(lambda browser: browser.execute_script(READY))

        open_chapter()
        browser.execute_script(RUN_TO_FIRST_GUESS)
        wait.until(lambda browser: browser.execute_script(CHOICES))[0].click()
        wait.until(lambda browser: browser.execute_script(FIRST_IS_CHOSEN))
        browser.execute_script(SAVE_AND_RESTART)
        wait.until(lambda browser: browser.execute_script("return window.hasRestarted"))
        open_chapter()
        wait.until(lambda browser: browser.execute_script(FIRST_IS_CHOSEN))


def test_make_lab_says_where_it_is(folder):
    """The command of `make lab`, without running it: on 8889, for 8888 is the servers' own."""
    shown = subprocess.run(["make", "-n", "lab"], cwd=lab.PROJECT, capture_output=True, text=True,
                           check=True).stdout
    assert "jupyter lab --notebook-dir=my --port=8889" in shown
    assert "1_hello.ipynb" in shown
    assert "--LabApp.app_settings_dir" in shown
