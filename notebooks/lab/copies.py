"""The reader's own copies of the chapters, in my/: what make lab opens.

    python -m lab.copies

A copy is made when there is none, without outputs. It belongs to the reader then, and is never
written again. When a chapter has changed since, the new one is put beside it, under another name.
What the chapters show and name besides, pictures and pages, is ours and always the newest.
"""

import hashlib
import json
import shutil

import nbformat

from lab.book import CHAPTERS, chapters
from lab.server import PROJECT

FOLDER = PROJECT / "my"
FILE = FOLDER / ".chapters.json"  # {chapter: which text of it was offered last}
BESIDE = ["words.md", "read_on.md", "to_print.html", "pictures/*.png"]  # of the folder notebooks/


def text_of(path):
    """What a chapter says and asks, without what it has shown."""
    notebook = nbformat.read(path, as_version=4)
    return "\n".join(f"{cell.cell_type}\n{cell.source}" for cell in notebook.cells)


def mark_of(path):
    """A short mark that is another one when the chapter has changed."""
    return hashlib.sha256(text_of(path).encode()).hexdigest()[:16]


def offered():
    """What was offered so far; nothing if there is no such file, or if it cannot be read."""
    try:
        return dict(json.loads(FILE.read_text()))
    except (OSError, ValueError):
        return {}


def blank(path, target):
    """Write a chapter without its outputs."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, target)


def new_name(path):
    """A name that is free, for a chapter whose copy is there already: 3_2_fork.new.ipynb."""
    name, number = FOLDER / f"{path.stem}.new.ipynb", 1
    while name.exists():
        number += 1
        name = FOLDER / f"{path.stem}.new{number}.ipynb"
    return name


def copy_what_is_beside():
    """Copy the pages and pictures to where the copies of the chapters look for them."""
    for pattern in BESIDE:
        for path in CHAPTERS.glob(pattern):
            target = FOLDER / path.relative_to(CHAPTERS)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)


def make_copies():
    """Copy what is missing; a list of sentences on what was done for the reader to know."""
    FOLDER.mkdir(exist_ok=True)
    copy_what_is_beside()
    before, marks, words = offered(), {}, []
    for path in chapters():
        marks[path.name] = mark_of(path)
        copy = FOLDER / path.name
        if not copy.exists():
            blank(path, copy)
        elif before.get(path.name) != marks[path.name]:
            other = new_name(path)
            blank(path, other)
            words.append(f"{path.name} has changed since your copy was made. Yours stays as it is; "
                         f"the new one is my/{other.name}.")
    FILE.write_text(json.dumps(marks, indent=1) + "\n")
    return words


if __name__ == "__main__":
    for sentence in make_copies():
        print(sentence)
