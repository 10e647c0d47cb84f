"""An application whose workers end as soon as they load it, unless there is a file named as the
variable WELL says."""

import os
import sys
from pathlib import Path

from tests.apps.various import says_pid as app

__all__ = ["app"]

print("a worker starts", file=sys.stderr, flush=True)
if not Path(os.environ["WELL"]).exists():
    os._exit(3)
