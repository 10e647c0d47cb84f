"""The applications of tests/apps/various.py, for a server whose stdout nobody reads.

They say nothing when they are imported."""

import os
from contextlib import redirect_stdout

with open(os.devnull, "w") as nothing, redirect_stdout(nothing):
    from tests.apps.various import named as app

__all__ = ["app"]
