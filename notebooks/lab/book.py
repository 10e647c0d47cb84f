"""Run the chapters from top to bottom, each in a fresh kernel, and keep what they showed.

    python -m lab.book                      all chapters; in the folder notebooks/
    python -m lab.book 1_hello.ipynb        this one
    python -m lab.book --into FOLDER        run them, and write what they show to that folder
"""

import argparse
import os
import re
import socket
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient

from lab.server import PROJECT

CHAPTERS = PROJECT / "notebooks"
SECONDS = 120  # that a cell may take
KEPT = ["tags", "claims", "jupyter"]  # of what is noted down beside a cell: "jupyter" folds it
WIDGET = "application/vnd.jupyter.widget-view+json"


def chapters():
    """The files of the chapters, in reading order."""
    return sorted(CHAPTERS.glob("*.ipynb"))


def run(path):
    """Run a chapter in a fresh kernel; the notebook with its outputs, made tidy.

    Raises nbclient.exceptions.CellExecutionError at the first cell that fails without announcing
    it by the tag raises-exception. The kernel is gone then, and its servers with it.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        kernel = AsyncKernelManager(transport="ipc", connection_file=f"{folder}/kernel.json")
        client = NotebookClient(notebook, kernel, timeout=SECONDS, record_timing=False,
                                resources={"metadata": {"path": CHAPTERS}})
        client.execute(env=kernel_environment(folder), cleanup_kc=True)
    return tidy(notebook)


def kernel_environment(folder):
    """The environment of a kernel that leaves its files in `folder`, and captures its children.

    Under PYTEST_CURRENT_TEST ipykernel would not capture what a child process prints.
    """
    unwanted = {"PYTEST_CURRENT_TEST", "PYTHONUNBUFFERED", "PORT", "HOST", "DELAY"}
    environ = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**environ, "IPYTHONDIR": folder, "TERM": "dumb", "COLUMNS": "100", "LC_ALL": "C.UTF-8",
            "MPLCONFIGDIR": environ.get("MPLCONFIGDIR", folder)}


def tidy(notebook):
    """Take out of a notebook what would tell one machine from another, but not what it measured."""
    python = notebook.metadata.kernelspec
    notebook.metadata = {"kernelspec": python, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = {name: cell.metadata[name] for name in KEPT if name in cell.metadata}
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", []):
            tidy_output(output)
    return notebook


def joined(outputs):
    """The outputs, those that follow each other on one stream as one: the kernel cuts anywhere."""
    whole = []
    for output in outputs:
        if (output.output_type == "stream" and whole
                and whole[-1].get("name") == output.name):
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def tidy_output(output):
    """Names of this machine's folders, user and host become general ones."""
    if output.output_type == "stream":
        output.text = general(re.sub(r"\r+\n", "\n", output.text))
    elif output.output_type == "error":
        output.evalue = general(output.evalue)
        output.traceback = [general(re.sub(r"\x1b\[[\d;]*m", "", line))
                            for line in output.traceback]
    else:
        output.data.pop(WIDGET, None)  # buttons without a kernel: their text says the same
        if "image/png" in output.data:
            output.data.pop("text/html", None)  # the same picture once more, for a live page
        for kind, text in output.data.items():
            if kind.startswith("text/"):
                output.data[kind] = general(text)
        for about in output.metadata.values():
            if "alt" in about:  # what a picture shows, in words
                about["alt"] = general(about["alt"])


def general(text):
    """The text with paths from the project's folder on, and without the names of this machine."""
    for name, instead in [(f"{sys.prefix}/bin/", ""), (f"{PROJECT}/", ""), (str(PROJECT), "."),
                          (sys.base_prefix, "/usr"), (str(Path.home()), "~"),
                          (socket.gethostname(), "localhost")]:
        text = text.replace(name, instead)
    return text


def main():
    parser = argparse.ArgumentParser(description="Run chapters in fresh kernels.")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="leave the files as they are")
    parser.add_argument("chapters", nargs="*", type=Path, default=chapters(), metavar="CHAPTER")
    arguments = parser.parse_args()
    for path in arguments.chapters:
        print(f"Running {path.name} ...", flush=True)
        target = arguments.into / path.name if arguments.into else path
        nbformat.write(run(path), target)


if __name__ == "__main__":
    main()
