"""Wrong: nobody tells it when a child has ended; it wakes up five times a second, and asks."""

from polite import fork_for, listen, reap_all

listen_socket = listen()
listen_socket.settimeout(0.2)
while True:
    reap_all()
    try:
        connection, address = listen_socket.accept()
    except TimeoutError:
        continue
    connection.setblocking(True)
    fork_for(connection, listen_socket)
