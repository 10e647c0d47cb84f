"""An application that cannot be loaded unless there is a file named as the variable WELL says: it
raises, or it ends its process if that is what the variable HOW says."""

import os
import sys
from pathlib import Path

from tests.apps.of_workers import named as app

__all__ = ["app"]

print("a worker starts", file=sys.stderr, flush=True)
if not Path(os.environ["WELL"]).exists():
    if os.environ["HOW"] == "ends":
        os._exit(3)
    raise ZeroDivisionError("the application divided by zero, at its import")
print("a worker is loaded", file=sys.stderr, flush=True)
