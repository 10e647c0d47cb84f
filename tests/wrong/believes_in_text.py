"""Wrong: not all that clients send is text."""

import sys

from polite import RESPONSE, listen

listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    try:
        print(connection.recv(65536).decode())
        connection.sendall(RESPONSE)
    except UnicodeDecodeError as error:
        sys.exit(f"No text: {error}")
    except OSError:
        continue
    connection.close()
