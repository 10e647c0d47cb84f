"""Mysteries: each server misbehaves every time, its mend helps, and its answers are judged."""

import difflib
import io
import re
import tokenize

import nbformat
import pytest

import lab
from lab.cases import CASES
from lab.mysteries import FOLDER, Mystery

every_mystery = pytest.mark.parametrize("name", CASES)


def wrong_line(mystery):
    return next(number for number in range(1, 99) if number not in mystery.lines())


def wrong_fault(mystery):
    return next(letter for letter in mystery.case.faults if letter != mystery.case.fault)


def told(capsys):
    """What was printed, its lines joined."""
    return " ".join(capsys.readouterr().out.split())


@every_mystery
def test_the_server_misbehaves_and_the_mended_one_does_not(name):
    mystery = Mystery(name)
    assert mystery.try_it(mystery.text) == mystery.case.ill
    assert mystery.try_it(mystery.mended()) == mystery.case.well


@every_mystery
def test_the_right_answer_is_accepted_for_each_line_that_can_be_defended(name, capsys, monkeypatch):
    mystery = Mystery(name)
    monkeypatch.setattr(Mystery, "try_it", lambda mystery, text: "tried")  # that has its own test
    for line in mystery.lines():
        mystery.answer(mystery.case.fault, line)
        shown = capsys.readouterr().out
        assert shown.startswith("Right.\n")
        assert "Mended:    tried" in shown
        added = set(mystery.mended().splitlines()) - set(mystery.text.splitlines())
        assert {line[1:] for line in shown.splitlines() if line.startswith("+")} >= added


@every_mystery
def test_a_wrong_answer_gets_a_pointer_and_not_the_answer(name, capsys):
    mystery = Mystery(name)
    case = mystery.case
    for letter in case.faults.keys() - {case.fault}:
        mystery.answer(letter, wrong_line(mystery))
        shown = told(capsys)
        assert shown.startswith(f"Not so. {case.pointers[letter]} ")
        assert case.faults[case.fault] not in shown
        assert case.why not in shown
    mystery.answer(case.fault, wrong_line(mystery))
    assert told(capsys).startswith(f"The fault is right, the line is another. {case.where} ")
    mystery.answer(wrong_fault(mystery), mystery.lines()[0])
    assert capsys.readouterr().out.startswith("The line is one to look at, the fault is another.")


@every_mystery
def test_there_are_four_faults_and_a_pointer_for_each_wrong_one(name):
    case = CASES[name]
    assert list(case.faults) == ["a", "b", "c", "d"]
    assert case.pointers.keys() == case.faults.keys() - {case.fault}


@every_mystery
def test_its_lines_stand_in_the_file_once_and_hold_code(name):
    mystery = Mystery(name)
    for part, number in zip(mystery.case.lines, mystery.lines(), strict=True):
        assert mystery.text.count(part) == 1, part
        line = mystery.text.splitlines()[number - 1]
        assert part.splitlines()[0].strip() in line, part


@every_mystery
def test_where_our_mend_touches_the_file_is_a_right_line(name):
    """The lines that it changes; where it adds one, that before it and that after it."""
    mystery = Mystery(name)
    before, after = mystery.text.splitlines(), mystery.mended().splitlines()
    opcodes = difflib.SequenceMatcher(None, before, after).get_opcodes()
    wanted = set()
    for kind, first, last, *_ in opcodes:
        if kind == "insert":
            wanted |= {first, first + 1}
        elif kind != "equal":
            wanted |= set(range(first + 1, last + 1))
    assert wanted <= set(mystery.lines())


@every_mystery
def test_the_file_is_short_and_does_not_give_it_away(name):
    text = Mystery(name).text
    assert 15 <= len([line for line in text.splitlines() if line.strip()]) <= 60
    comments = [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline)
                if token.type == tokenize.COMMENT]
    words = " ".join([text.split('"""')[1], *comments])
    giveaway = r"fault|bug|wrong|leak|zombie|forg[eo]t|inherit|oops|mend|fix|todo|blocked"
    assert not re.search(giveaway, words, re.IGNORECASE), words


def test_there_are_ten_and_each_has_its_file():
    assert len(CASES) == 10
    assert {path.stem for path in FOLDER.glob("*.py")} == CASES.keys()
    letters = [case.fault for case in CASES.values()]
    assert all(letters.count(letter) >= 2 for letter in "abcd"), "no letter is a safe guess"


@every_mystery
def test_it_stands_at_the_end_of_its_chapter(name):
    """After what the chapter has shown: the server misbehaves, its text, then the question."""
    notebook = nbformat.read(lab.PROJECT / f"notebooks/{CASES[name].chapter}.ipynb", as_version=4)
    source = "\n".join(cell.source for cell in notebook.cells)
    shown, _, section = source.partition("## Two mysteries")
    assert "What we can do now" in shown
    steps = [f'{name} = Mystery("{name}")', f"{name}.start(", f"{name}.show()",
             f'{name}.answer(fault="?", line=...)']
    places = [section.find(step) for step in steps]
    assert -1 not in places, steps
    assert places == sorted(places)


@pytest.mark.parametrize("chapter", sorted({case.chapter for case in CASES.values()}))
def test_a_chapter_has_two_in_one_section_that_one_can_follow(chapter):
    assert [case.chapter for case in CASES.values()].count(chapter) == 2
    cells = nbformat.read(lab.PROJECT / f"notebooks/{chapter}.ipynb", as_version=4).cells
    [first] = [number for number, cell in enumerate(cells)
               if cell.source.startswith("## Two mysteries")]
    length = next(number for number, cell in enumerate(cells[first + 1:], 1)
                  if cell.source.startswith(("## ", "Last, ")))
    assert length <= 12
    assert not [cell for cell in cells[first:first + length] if "solution()" in cell.source
                and cell.cell_type == "code"], "the answer is not told unasked"


@pytest.mark.parametrize(("fault", "line"), [("?", ...), (..., ...), ("c", ...), ("", 38)])
def test_no_answer_yet_is_no_wrong_answer(fault, line, capsys):
    mystery = Mystery("harbour")
    mystery.answer(fault, line)
    assert capsys.readouterr().out.startswith("Put the letter of a fault in place of the question ")
    mystery.solution()
    assert "Try first" in capsys.readouterr().out


@pytest.mark.parametrize(("fault", "line", "sentence"), [
    ("e", 1, "There is no fault 'e'. There are: a, b, c, d."),
    ("a", 1000, "There is no line 1000. They go from 1 to "),
    ("a", "main", "There is no line 'main'. They go from 1 to "),
])
def test_what_cannot_be_an_answer_is_said_so(fault, line, sentence, capsys):
    Mystery("harbour").answer(fault, line)
    assert capsys.readouterr().out.startswith(sentence)


@pytest.mark.parametrize(("fault", "line"), [("C", 39), (" c", "39"), ("C", " 39 ")])
def test_an_answer_counts_however_it_is_written(fault, line, capsys, monkeypatch):
    monkeypatch.setattr(Mystery, "try_it", lambda mystery, text: "tried")
    mystery = Mystery("harbour")
    assert mystery.lines()[0] == 39
    mystery.answer(fault, line)
    assert capsys.readouterr().out.startswith("Right.\n")
    mystery.solution()
    assert capsys.readouterr().out.startswith("The fault is c: a child keeps the listening ")


def test_who_has_tried_is_told_the_solution(capsys, monkeypatch):
    monkeypatch.setattr(Mystery, "try_it", lambda mystery, text: "tried")
    mystery = Mystery("menu")
    mystery.answer(wrong_fault(mystery), wrong_line(mystery))
    assert "menu.solution() tells it" in capsys.readouterr().out
    mystery.solution()
    shown = capsys.readouterr().out
    assert shown.startswith("The fault is b: the answer says a wrong length. Line ")
    assert "+            f\"Content-Length: {len(text.encode())}" in shown


def test_a_mystery_that_is_not_there_is_said_so():
    with pytest.raises(ValueError, match="There is no mystery 'castle'. There are: harbour, "):
        Mystery("castle")
