"""An application whose workers end just after their start, unless there is a file named as the
variable WELL says."""

import os
import sys
import threading
import time
from pathlib import Path

from tests.apps.of_workers import named as app

__all__ = ["app"]


def die_soon():
    time.sleep(0.02)
    os._exit(3)


print("a worker starts", file=sys.stderr, flush=True)
if not Path(os.environ["WELL"]).exists():
    threading.Thread(target=die_soon, daemon=True).start()
print("a worker is loaded", file=sys.stderr, flush=True)
