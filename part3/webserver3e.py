"""The server that reaps, and dies of it: a signal interrupts its accept.

Builds on webserver3c.py. The idea: the kernel sends SIGCHLD when a child ends, and the
handler waits for the child then. accept is the C library's here, as it would be in C.

Try it:
    python part3/webserver3e.py
    curl http://localhost:8888/hello           (3 s later the server dies: EINTR)

On purpose:
    The signal arrives while the parent sits in accept, which fails with EINTR
    (InterruptedError), and the server dies after its first client. webserver3f.py mends that.
    One wait for each signal is too few: signals do not queue, and zombies stay. It is also too
    many: a child that is only stopped sends SIGCHLD too, wait blocks until it ends, and the
    next wait finds no child, of which the server dies. webserver3g.py mends both.
    A signal that comes in the instant before accept falls asleep waits there for a client, too:
    a child is reaped late then.
    Where no more processes are to be had, fork fails and the server dies of it.
"""

import ctypes
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
libc = ctypes.CDLL(None, use_errno=True)


def listen():
    listen_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # can restart at once
    listen_socket.bind((HOST, int(PORT)))
    listen_socket.listen(REQUEST_QUEUE_SIZE)
    return listen_socket


def accept(listen_socket):
    """The C library's accept; Python's own would hide EINTR (PEP 475)."""
    descriptor = libc.accept(listen_socket.fileno(), None, None)
    if descriptor == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return socket.socket(fileno=descriptor)


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
        client_connection = accept(listen_socket)
        pid = os.fork()  # called once, returns twice
        if pid == 0:  # in the child
            listen_socket.close()  # only the parent accepts
            handle_request(client_connection)
            os._exit(0)  # closes the child's copy of the connection
        client_connection.close()  # the parent's copy: FIN goes out when the last copy closes


def reap_children(signum, frame):  # runs at any moment: print is not safe here
    pid, status = os.wait()
    os.write(1, b"Reaped child %d, status %d\n" % (pid, os.waitstatus_to_exitcode(status)))


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    if not DELAY.replace(".", "", 1).isdecimal():
        sys.exit(f"Cannot sleep for {DELAY!r} seconds. Set DELAY to a number.")
    try:
        listen_socket = listen()
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Cannot serve on {HOST}:{PORT}: {error}. Choose another PORT (or HOST).")
    signal.signal(signal.SIGCHLD, reap_children)
    print(f"Serving HTTP on port {listen_socket.getsockname()[1]} ...", flush=True)
    serve_forever(listen_socket)


if __name__ == "__main__":
    main()
