"""An application that cannot be imported unless there is a file named as the variable WELL says."""

import os
import sys
from pathlib import Path

from tests.part3.apps_of_workers import named as app

__all__ = ["app"]

print("a worker starts", file=sys.stderr, flush=True)
if not Path(os.environ["WELL"]).exists():
    raise ZeroDivisionError("the application divided by zero, at its import")
