"""The reader's copies of the chapters: made when missing, never written again, offered anew."""

import re

import nbformat
import pytest

from lab import book, copies


@pytest.fixture
def mine(folder, monkeypatch):
    """An empty my/, and chapters of its own: one, that says 1 + 1."""
    monkeypatch.setattr(copies, "FOLDER", folder / "my")
    monkeypatch.setattr(copies, "FILE", folder / "my/.chapters.json")
    monkeypatch.setattr(copies, "chapters", lambda: sorted(folder.glob("*.ipynb")))
    monkeypatch.setattr(copies, "CHAPTERS", folder)
    (folder / "words.md").write_text("a word")
    (folder / "pictures").mkdir()
    (folder / "pictures/here.png").write_bytes(b"a picture")
    write(folder, "1 + 1")
    return folder / "my"


def write(folder, source):
    cell = nbformat.v4.new_code_cell(source, outputs=[nbformat.v4.new_output("stream", text="2")],
                                     execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "1_one.ipynb")


def source_of(path):
    return nbformat.read(path, as_version=4).cells[0].source


def test_a_copy_has_no_outputs(mine):
    assert copies.make_copies() == []
    [cell] = nbformat.read(mine / "1_one.ipynb", as_version=4).cells
    assert (cell.source, cell.outputs, cell.execution_count) == ("1 + 1", [], None)


def test_a_copy_is_never_written_again(mine, folder):
    copies.make_copies()
    write(mine, "what the reader has written")
    assert copies.make_copies() == []
    assert source_of(mine / "1_one.ipynb") == "what the reader has written"


def test_a_chapter_that_has_changed_is_put_beside_the_copy_once(mine, folder):
    copies.make_copies()
    write(folder, "2 + 2")
    [words] = copies.make_copies()
    assert "Yours stays as it is; the new one is my/1_one.new.ipynb." in words
    assert source_of(mine / "1_one.ipynb") == "1 + 1"
    assert source_of(mine / "1_one.new.ipynb") == "2 + 2"
    assert copies.make_copies() == []
    write(folder, "3 + 3")
    assert "my/1_one.new2.ipynb" in copies.make_copies()[0]


def test_a_note_that_cannot_be_read_counts_as_none(mine):
    copies.make_copies()
    (mine / ".chapters.json").write_text("{")
    assert len(copies.make_copies()) == 1


def test_pictures_and_pages_are_the_newest(mine, folder):
    copies.make_copies()
    assert (mine / "pictures/here.png").read_bytes() == b"a picture"
    (folder / "words.md").write_text("another word")
    copies.make_copies()
    assert (mine / "words.md").read_text() == "another word"


def test_what_the_chapters_show_is_copied():
    """Else a copy has an empty frame in the place of a picture, or a link that leads nowhere."""
    beside = {path for pattern in copies.BESIDE for path in book.CHAPTERS.glob(pattern)}
    for path in book.chapters():
        for target in re.findall(r"\]\(([^):#]+)\)", copies.text_of(path)):
            wanted = (book.CHAPTERS / target).resolve()
            if book.CHAPTERS in wanted.parents and wanted.suffix != ".ipynb":
                assert wanted in beside, f"{path.name} names {target}"


def test_each_chapter_has_a_mark_of_its_own():
    marks = [copies.mark_of(path) for path in book.chapters()]
    assert len(set(marks)) == len(marks) > 1
