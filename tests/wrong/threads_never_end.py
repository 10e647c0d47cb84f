"""Wrong: a thread for each connection, which stays when its client has left."""

import threading

from polite import listen, serve


def serve_and_stay(connection):
    serve(connection)
    threading.Event().wait()  # for what never comes


listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    threading.Thread(target=serve_and_stay, args=[connection]).start()
