"""Right: select in a loop that turns once a second, with nothing to do."""

import select

from polite import answer, listen

listen_socket = listen()
connections = []
while True:
    ready, _, _ = select.select([listen_socket, *connections], [], [], 1)
    for one in ready:
        if one is listen_socket:
            connections.append(one.accept()[0])
        else:
            connections.remove(one)
            answer(one)
            one.close()
