"""Wrong: it ends before it listens, with a traceback."""

import os

port = int(os.environ["PORTS"])
