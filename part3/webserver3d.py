"""The concurrent server that forgets to close: a client has its answer but never the end of it.

Builds on webserver3c.py. The idea is a fault: the parent keeps its copy of each connection.

Try it:
    python part3/webserver3d.py
    curl http://localhost:8888/hello           (Hello, World!, and then it hangs)
    ps -o pid,ppid,stat,args | grep defunct    (3 s later: a zombie for each client)

    ulimit -n 256 && python part3/webserver3d.py
    python part3/client3.py --max-clients 300  (the server: Errno 24, too many open files)

    ulimit -u 400 && python part3/webserver3d.py        (not as root: no limit binds it)
    python part3/client3.py --max-clients 500  (the server: Errno 11, no process to be had)

On purpose:
    No client sees the end of its connection, the parent runs out of descriptors, then dies.
    webserver3c.py has the line that is missing here.
    Its children become zombies, and in the end fork fails. webserver3e.py starts to mend that.
"""

import os
import signal
import socket
import sys
import time

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"
REQUEST_QUEUE_SIZE = 1024
DELAY = os.environ.get("DELAY") or "3"  # seconds
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"
client_connections = []  # Python would close one that nobody refers to; C would not


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
        client_connections.append(client_connection)  # the fault: the parent's copy stays open


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
