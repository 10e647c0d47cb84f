"""Wrong: it becomes a daemon. Who ends what was started here ends the process that waits."""

import os
import signal

from polite import answer, listen

if os.fork():
    signal.pause()
os.setsid()
listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
