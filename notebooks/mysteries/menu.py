"""The menu of a restaurant, in two languages, for guests who ask again on the same connection.

    python notebooks/mysteries/menu.py
    curl http://localhost:8888/french
    curl http://localhost:8888/english
"""

import os
import signal
import socket
import threading

PORT = int(os.environ.get("PORT") or "8888")
MENU = {
    "/french": "Pâté de maïs, 7 €\nCrème brûlée, 6 €\nThé à la menthe, 3 €\n",
    "/english": "Corn pie, 7 euros\nBurnt cream, 6 euros\nMint tea, 3 euros\n",
}


def response(path):
    status = "200 OK" if path in MENU else "404 Not Found"
    text = MENU.get(path, "We do not have that today.\n")
    head = (f"HTTP/1.1 {status}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(text)}\r\n")
    return f"{head}\r\n{text}".encode()


def converse(connection):
    connection.settimeout(60)
    received = b""
    while block := connection.recv(65536):
        received += block
        while b"\r\n\r\n" in received:
            head, _, received = received.partition(b"\r\n\r\n")
            words = head.decode("latin-1").split()
            connection.sendall(response(words[1] if len(words) > 1 else ""))


def serve(connection):
    with connection:
        try:
            converse(connection)
        except OSError as error:
            print(f"A guest has left: {error}", flush=True)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listen_socket = socket.create_server(("127.0.0.1", PORT))
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    while True:
        connection, _ = listen_socket.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
