"""Wrong: it takes a client in, and waits for something else."""

import time

from polite import listen

connection, address = listen().accept()
time.sleep(3600)
