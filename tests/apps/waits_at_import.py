"""An application whose import waits until there is a file named as the variable GATE says."""

import os
import sys
import time
from pathlib import Path

from tests.apps.of_workers import named as app

__all__ = ["app"]


def hold_up_the_import():
    print("a worker starts", file=sys.stderr, flush=True)
    while not Path(os.environ["GATE"]).exists():
        time.sleep(0.01)
    print("a worker is loaded", file=sys.stderr, flush=True)


hold_up_the_import()
