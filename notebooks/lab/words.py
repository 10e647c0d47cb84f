"""The page of words: each term of the course, a sentence, and where one meets it.

    python -m lab.words

writes notebooks/words.md from words.txt beside this file. The place is looked up in the chapters:
the first section that has the term in italics, or else the first that has it at all.
"""

import re
from collections import namedtuple
from pathlib import Path

import nbformat

from lab.book import CHAPTERS, chapters

SOURCE = Path(__file__).with_suffix(".txt")
PAGE = CHAPTERS / "words.md"
ITALICS = re.compile(r"(?<![*\w])\*(?![\s*])([^*]+)(?<!\s)\*(?![*\w])")
IMAGE = re.compile(r"!\[.*?\]\(.*?\)", re.DOTALL)

Word = namedtuple("Word", "term phrase chapter sentence")
Section = namedtuple("Section", "file title heading prose text")  # text: the code as well

PREFACE = """\
# Words

Each term of the course in a sentence, and the section in which you meet it: there it is shown.
To know more than that, [read on](read_on.md).

| the word | what it is | where you meet it |
| --- | --- | --- |
"""

def words():
    """All words, sorted as in a dictionary. A Word's chapter is "" where any may be the first."""
    found = []
    for line in SOURCE.read_text().splitlines():
        if line.startswith("    "):
            found[-1] = found[-1]._replace(sentence=line.strip())
        elif line and not line.startswith("#"):
            term, phrase, chapter, *_ = [*map(str.strip, line.split("|")), "", ""]
            found.append(Word(term, phrase or term, chapter, ""))
    return sorted(found, key=lambda word: word.term.lower())


def sections():
    """The openings of all chapters and their numbered sections, in reading order."""
    return [section for path in chapters() for section in sections_of(path)]


def sections_of(path):
    cells = nbformat.read(path, as_version=4).cells
    starts = [0, *[number for number, cell in enumerate(cells)
                   if cell.cell_type == "markdown" and cell.source.startswith("## ")]]
    title = first_line(cells[0])
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        heading = first_line(cells[start]) if start else "at the beginning"
        if start == 0 or re.match(r"\d", heading):
            prose, text = ["\n\n".join(IMAGE.sub("", cell.source) for cell in cells[start:end]
                                       if cell.cell_type in kinds)
                           for kinds in (("markdown",), ("markdown", "code"))]
            yield Section(path.name, title, heading, prose, text)


def first_line(cell):
    return cell.source.partition("\n")[0].lstrip("# ")


def in_italics(prose):
    """What stands in italics in a text, each on one line."""
    return [" ".join(found.split()) for found in ITALICS.findall(prose)]


def where(word, everywhere):
    """The Section in which a word is met first; ValueError if no chapter has it."""
    whole = re.compile(rf"(?<!\w){re.escape(word.phrase)}(?!\w)")
    for asked in ([part for part in everywhere if part.file.startswith(word.chapter)], everywhere):
        for section in asked:
            if word.phrase.lower() in [found.lower() for found in in_italics(section.prose)]:
                return section
        for section in asked:
            if whole.search(section.text):
                return section
    raise ValueError(f'No chapter has "{word.phrase}": say in {SOURCE.name} how one writes it, '
                     "or take the word out.")


def page():
    """The page of words, as Markdown."""
    everywhere = sections()
    return PREFACE + "".join(row(word, where(word, everywhere)) for word in words())


def row(word, section):
    return (f"| **{word.term}** | {word.sentence} | [{section.title}]({section.file})<br>"
            f"{section.heading} |\n")


if __name__ == "__main__":
    PAGE.write_text(page())
