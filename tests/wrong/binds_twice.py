"""Wrong: it has bound the port, and binds it again, so that it is taken whichever it is."""

import os
import socket

from polite import listen

with socket.socket() as first:
    first.bind((os.environ["HOST"], int(os.environ["PORT"])))
    listen()
