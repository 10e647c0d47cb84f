"""Wrong: Ctrl-C ends it as it ends any Python program, with a traceback."""

import signal

from polite import answer, listen

listen_socket = listen()
signal.signal(signal.SIGINT, signal.default_int_handler)
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
