"""The pages beside the chapters: words, where to read on, and the strips that say where one is."""

import io
import re
from functools import cache

import nbformat
import numpy as np
import pytest
from matplotlib.image import imread

import lab
from lab import course, words
from lab.book import CHAPTERS, chapters

every_chapter = pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
STRESSED = {  # in italics, but only to be read with stress: what they say there is no term
    "after", "any", "anyone", "connected", "everything", "fifth", "first", "has", "has done",
    "how long", "is", "late", "leave", "listening", "new", "no", "not", "our", "sent", "then",
    "this", "user", "waits", "was", "where", "which", "your",
    "`close` does not close a socket. It gives up one reference to it.",  # sentences
    "gives its port back when it is killed", "how did my child end?",
    "Bad file descriptor", "Broken pipe",  # what the system says
    "Run", "Run All Above Selected Cell", "File", "New", "Terminal",  # menus
    "Applications.", "Crowd.", "Side by side.", "Stop.",  # heads of a list
    "You are here.", "You are here:",
    "places",  # an image, of that chapter alone
}


def shown():
    """The rows of the committed page: (term, file, heading of the section)."""
    return re.findall(r"^\| \*\*(.+?)\*\* \| .+? \| \[.*?\]\((\S+?)\)<br>(.+?) \|$",
                      words.PAGE.read_text(), re.MULTILINE)


@cache
def text_of(path):
    """All that stands in the cells of a chapter."""
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def test_the_page_of_words_is_the_one_that_is_printed():
    assert words.PAGE.read_text() == words.page(), "print it anew: python -m lab.words"


def test_the_page_of_words_is_sorted_and_has_each_once():
    terms = [term.lower() for term, _, _ in shown()]
    assert len(terms) > 80
    assert terms == sorted(set(terms))


def test_each_word_stands_in_the_section_that_is_named():
    phrases = {word.term: word.phrase for word in words.words()}
    for term, file, heading in shown():
        text = section(CHAPTERS / file, heading)
        assert re.search(re.escape(phrases[term]), text, re.IGNORECASE), (term, file, heading)


def section(path, heading):
    """The text of a section as its cells have it, without help of what made the page."""
    text = text_of(path)
    if heading == "at the beginning":
        return text.partition("\n## ")[0]
    assert text.count(f"\n## {heading}\n") == 1, f"{path.name} has no section {heading}"
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_each_word_is_one_sentence():
    for word in words.words():
        assert re.fullmatch(r"[A-Z0-9].+\.", word.sentence), word
        assert not re.search(r"\. [A-Z]", word.sentence), f"{word.term} has more than one sentence"


def test_what_a_chapter_introduces_in_italics_is_a_word():
    known = {phrase.lower() for word in words.words() for phrase in (word.phrase, word.term)}
    for part in words.sections():
        new = [italic for italic in words.in_italics(part.prose)
               if italic.lower() not in known and italic not in STRESSED]
        assert not new, (f"{new} in {part.file}, {part.heading}: add it to lab/words.txt, or to "
                         "STRESSED if it is no term")


def test_where_to_read_on_is_said():
    page = (CHAPTERS / "read_on.md").read_text()
    for name in ("Ruslan Spivak", "lsbaws-part1", "lsbaws-part2", "lsbaws-part3", "UNP", "APUE",
                 "TLPI", "RFC 9110", "RFC 9112", "PEP 3333"):
        assert name in page, name


def test_a_word_that_no_chapter_has_is_told():
    with pytest.raises(ValueError, match='No chapter has "bananas"'):
        words.where(words.Word("bananas", "bananas", "", ""), words.sections())


def test_a_word_is_met_where_it_first_stands_in_italics():
    one, two = (words.Section("1.ipynb", "1", heading, text, text) for heading, text in
                (("a", "A pipeline is no pipe."), ("b", "This is called a *pipe*.")))
    assert words.where(words.Word("pipe", "pipe", "", ""), [one, two]) == two
    assert words.where(words.Word("no", "no", "", ""), [one, two]) == one


@pytest.mark.parametrize("page", ["words.md", "read_on.md", "to_print.html"])
def test_the_readme_and_the_last_chapter_name_the_page(page):
    assert f"](notebooks/{page})" in (lab.PROJECT / "README.md").read_text()
    assert f"]({page})" in text_of(chapters()[-1]), "python -m lab.course puts it there"


@pytest.mark.parametrize("page", ["words.md", "read_on.md"])
def test_links_of_the_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (CHAPTERS / page).read_text()):
        assert target.startswith("https://") or (CHAPTERS / target).exists(), target


@every_chapter
def test_chapter_shows_where_one_is(path):
    """Under its title, to those who see the picture and to those who do not."""
    title, _, line, *_ = text_of(path).splitlines()
    alt, file = re.fullmatch(r"!\[(.+)\]\((pictures/you_are_here_\S+\.png)\)", line).groups()
    assert f"You are here: {title.removeprefix('# ')}." in alt, "python -m lab.course renews it"
    assert (CHAPTERS / file).exists()


def test_each_strip_marks_another_chapter():
    files = sorted(course.FOLDER.glob("you_are_here_*.png"))
    assert len(files) == len(chapters()) == len(course.STEPS)
    strips = [imread(file) for file in files]
    for strip in strips:
        assert strip.shape[0] < 150 < 1000 < strip.shape[1], "the first cell needs the room"
        assert strip[..., 3:].min() == 1, "it is opaque"
    assert len({strip.tobytes() for strip in strips}) == len(strips)


@every_chapter
def test_a_strip_is_drawn_as_it_is_committed(path):
    drawn = imread(io.BytesIO(course.strip(path.stem).png()))
    kept = imread(course.FOLDER / f"you_are_here_{course.digits(path.stem)}.png")
    assert drawn.shape == kept.shape
    assert np.abs(drawn - kept).mean() < 0.01, "draw them anew: python -m lab.course"


def test_marking_a_chapter_twice_is_marking_it_once():
    cells = [nbformat.v4.new_markdown_cell("# 3.2 A process\n\nThis chapter ...\n\nMore.")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    for _ in range(2):
        course.mark("3_2_fork", notebook)
        course.name_the_pages(notebook)
    lines = cells[0].source.splitlines()
    assert lines[0] == "# 3.2 A process"
    assert lines[2].startswith("![You are here: 3.2 A process.")
    assert lines[4:] == ["This chapter ...", "", "More.", "", course.PAGES]
