"""Wrong: it listens, and takes nobody in."""

import time

from polite import listen

listen_socket = listen()
time.sleep(3600)
