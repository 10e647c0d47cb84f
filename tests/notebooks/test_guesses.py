"""Guesses: what was clicked stands beside what was seen, and counts at the end of the chapter."""

import pytest

from lab import guesses
from lab.guesses import guess, score


@pytest.fixture(autouse=True)
def nothing_asked():
    guesses.asked.clear()


def clicked(choice, outcome, section=1, question="What comes?"):
    """A guess for which a choice was clicked, and what the experiment has shown then."""
    made = guess(section, question, "the end", "nothing")
    made.buttons.value = choice
    made.seen(outcome)


def test_without_a_click_what_was_seen_is_said(capsys):
    guess(1, "What comes?", "the end", "nothing").seen("nothing")
    shown = capsys.readouterr().out
    assert "Your guess: What comes?" in shown
    assert "Seen:        nothing\nYour guess:  none." in shown


@pytest.mark.parametrize(("choice", "verdict"), [("nothing", "(right)"),
                                                 ("the end", "(not what happened)")])
def test_what_was_clicked_stands_beside_it(choice, verdict, capsys):
    clicked(choice, "nothing")
    assert f"Your guess:  {choice} {verdict}" in capsys.readouterr().out


def test_numbers_are_choices_too(capsys):
    made = guess(1, "How many?", 2, 4)
    made.buttons.value = "4"
    made.seen(4)
    assert "4 (right)" in capsys.readouterr().out


def test_a_long_question_is_broken_between_words(capsys):
    question = "What " + "comes, and then " * 10 + "what?"
    guess(1, question, 1, 2)
    *lines, choices = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(lines) == f"Your guess: {question}"


def test_an_outcome_that_is_no_choice_is_a_mistake_of_the_chapter():
    with pytest.raises(ValueError, match="Seen was 3, which is none of"):
        guess(1, "How many?", 2, 4).seen(3)


def test_the_score_names_the_sections_to_look_at_again(capsys):
    clicked("nothing", "nothing", 1, "What comes first?")
    clicked("nothing", "the end", 3, "And then?")
    guess(4, "And last?", "the end", "nothing").seen("nothing")  # nothing was clicked
    capsys.readouterr()
    score()
    assert capsys.readouterr().out == (
        "Guesses that came true: 1 of 2.\nQuestions without a guess: 1.\n"
        "Look again at:\n  section 3: And then?\n")


def test_a_guess_stands_when_one_has_seen_what_comes_out(capsys):
    made = guess(1, "What comes?", "the end", "nothing")
    made.buttons.value = "the end"
    made.seen("nothing")
    made.buttons.value = "nothing"
    made.seen("nothing")
    score()
    said = capsys.readouterr().out
    assert said.count("Your guess:  the end (not what happened)") == 2
    assert "Guesses that came true: 0 of 1." in said


def test_a_guess_that_is_made_again_counts_once(capsys):
    clicked("nothing", "the end")
    clicked("the end", "the end")
    capsys.readouterr()
    score()
    assert capsys.readouterr().out == "Guesses that came true: 1 of 1.\n"


def test_without_a_guess_the_score_says_so(capsys):
    score()
    assert "You made no guess in this chapter" in capsys.readouterr().out
