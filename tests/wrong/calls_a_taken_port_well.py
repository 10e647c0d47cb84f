"""Wrong: where the port is taken it says so, and ends as if all were well."""

import sys

from polite import answer, listen

try:
    listen_socket = listen()
except SystemExit as reason:
    print(reason)
    sys.exit()
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connection.close()
