"""Wrong: no client sees the end of its connection."""

from polite import answer, listen

listen_socket, connections = listen(), []
while True:
    connection, address = listen_socket.accept()
    answer(connection)
    connections.append(connection)  # Python would close one that nobody refers to
