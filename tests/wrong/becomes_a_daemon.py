"""Wrong: it goes to the background, and into a session of its own."""

import os
import sys

from polite import answer, listen

if os.fork():
    sys.exit()
os.setsid()
listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
