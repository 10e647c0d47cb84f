"""Wrong: kill does not stop it."""

import signal

from polite import answer, listen

signal.signal(signal.SIGTERM, signal.SIG_IGN)
listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
