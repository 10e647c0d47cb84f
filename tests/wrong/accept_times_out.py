"""Wrong: five seconds without a client, and accept raises what nobody catches."""

import sys

from polite import answer, listen

listen_socket = listen()
listen_socket.settimeout(5)
while True:
    try:
        connection, address = listen_socket.accept()
    except TimeoutError:
        sys.exit("Nobody came.")
    connection.settimeout(None)
    answer(connection)
    connection.close()
