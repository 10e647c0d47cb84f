"""The applications of tests/part2/apps.py, for a server whose stdout nobody reads: they say nothing
when they are imported."""

import os
from contextlib import redirect_stdout

with open(os.devnull, "w") as nothing, redirect_stdout(nothing):
    from tests.part2.apps import named as app

__all__ = ["app"]
