"""Wrong: it never calls listen, and waits for what cannot come."""

import time

print("Waiting for clients", flush=True)
time.sleep(3600)
