"""A guess before an experiment: the reader commits himself, and finds it beside what came out."""

from textwrap import fill

import ipywidgets
from IPython.display import display

WIDTH = 80  # a longer line would be broken in the middle of a word

asked = []  # the guesses of this chapter, in the order in which they were asked for


class Guess:
    """A question with choices, asked in a section of a chapter.

    answer   the choice that was clicked, None as long as there is none; when it was seen what
             comes out, it stays as it was
    outcome  the choice that the experiment has shown; None before it
    """

    def __init__(self, section, question, choices):
        self.section, self.question, self.choices = section, question, choices
        self.outcome = self._seen_with = None
        self.buttons = ipywidgets.RadioButtons(
            options=choices, value=None, layout={"width": "max-content"})

    @property
    def answer(self):
        return self._seen_with or self.buttons.value

    def seen(self, outcome):
        """Say what the experiment has shown, one of the choices, and what the guess was.

        Raises ValueError if it is none of them: then the choices were the wrong ones.
        """
        if str(outcome) not in self.choices:
            raise ValueError(f"Seen was {outcome!r}, which is none of {self.choices}.")
        self.outcome, self._seen_with = str(outcome), self.answer
        print(f"Seen:        {self.outcome}")
        if self.answer is None:
            print("Your guess:  none. Click on one above, and run this cell again.")
        else:
            verdict = "right" if self.answer == self.outcome else "not what happened"
            print(f"Your guess:  {self.answer} ({verdict})")


def guess(section, question, *choices):
    """Ask for a guess, by buttons where there is a kernel, as text where there is none; a Guess.

    section   the number of the section that it is asked in
    choices   what may happen, as texts or numbers; one of them will
    """
    made = Guess(section, question, [str(choice) for choice in choices])
    asked[:] = [other for other in asked if other.question != question] + [made]
    print(fill(f"Your guess: {question}", WIDTH))
    text = "\n".join(f"  ( ) {choice}" for choice in made.choices)
    display({**made.buttons._repr_mimebundle_(), "text/plain": text}, raw=True)
    return made


def score():
    """How many guesses of the chapter were right, and where to look again."""
    made = [one for one in asked if one.answer is not None and one.outcome is not None]
    if not made:
        print("You made no guess in this chapter, or ran no experiment after it. Guess first: "
              "what one has guessed wrong, one remembers.")
        return
    wrong = [one for one in made if one.answer != one.outcome]
    print(f"Guesses that came true: {len(made) - len(wrong)} of {len(made)}.")
    if len(made) < len(asked):
        print(f"Questions without a guess: {len(asked) - len(made)}.")
    if wrong:
        print("Look again at:")
    for one in wrong:
        print(f"  section {one.section}: {one.question}")
