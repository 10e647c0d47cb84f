"""The applications of apps.py, without the line that they print when they are loaded: where nobody
reads the output, a worker that is started anew could not load them."""

from contextlib import redirect_stdout

with redirect_stdout(None):
    from tests.apps.various import named

app = named
