"""The concurrent server: a process for each connection.

Builds on webserver3b.py. The idea: fork. The child serves the client, the parent goes
back to accept. Both hold the same descriptors after fork, so each closes what it does
not need: the kernel ends a connection (sends FIN) when nobody holds it any more.

Try it:
    python part3/webserver3c.py
    curl http://localhost:8888/hello           (second and third terminal: both answered at once)
    ps -o pid,ppid,stat,args | grep webserver  (fourth: a parent and two children)

On purpose:
    Its children become zombies, for it never waits for them. webserver3e.py starts to mend that.
    Ctrl-C reaches the children too, for they are one group; kill does not: each finishes its
    client, an orphan meanwhile. Where no more processes are to be had, fork fails and the server
    dies of it. webserver3h.py mends both.
"""

import os
import signal
import socket
import sys
import time

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1024
DELAY = os.environ.get("DELAY") or "60"  # seconds
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"


def listen():
    listen_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # can restart at once
    listen_socket.bind((HOST, int(PORT)))
    listen_socket.listen(REQUEST_QUEUE_SIZE)
    return listen_socket


def handle_request(client_connection):
    try:
        request = client_connection.recv(65536)
        print(request.decode("ascii", "backslashreplace"), flush=True)
        client_connection.sendall(RESPONSE)
        time.sleep(float(DELAY))  # the answer is out, but the connection is open
    except OSError as error:
        print(f"The client left early: {error}", flush=True)


def serve_forever(listen_socket):
    while True:
        client_connection, client_address = listen_socket.accept()
        pid = os.fork()  # called once, returns twice
        if pid == 0:  # in the child
            listen_socket.close()  # only the parent accepts
            handle_request(client_connection)
            os._exit(0)  # closes the child's copy of the connection
        client_connection.close()  # the parent's copy: FIN goes out when the last copy closes


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    if not DELAY.replace(".", "", 1).isdecimal():
        sys.exit(f"Cannot sleep for {DELAY!r} seconds. Set DELAY to a number.")
    try:
        listen_socket = listen()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    serve_forever(listen_socket)


if __name__ == "__main__":
    main()
