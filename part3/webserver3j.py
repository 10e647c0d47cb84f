"""Workers forked in advance, all of them in accept on one listening socket.

Builds on webserver3c.py. The idea: fork once for each worker, not for each connection. The parent
accepts nothing. It waits for signals: when a worker dies, which should not happen, it forks
another; when it is told to stop, no worker outlives it.

Try it:
    python part3/webserver3j.py
    ps -o pid,ppid,stat,args -C python         (the parent and its workers)
    kill -9 PID                                (one of the workers: another takes its place)

On purpose:
    As many clients are served at once as there are workers. If they are silent, all others wait.
    webserver3k.py holds them all.
    If the parent is killed with SIGKILL, its workers go on without it. If fork fails when one is
    to be replaced, all of them end. webserver3p.py mends both.
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
WORKERS = 4
SIGNALS = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM}
workers = set()  # PIDs, so that none outlives the server


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
    signal.signal(signal.SIGCHLD, do_nothing)  # what is ignored might not wait for sigwait
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # none comes but when it is asked for
    try:
        signum = signal.SIGCHLD
        while signum == signal.SIGCHLD:
            reap_workers()
            while len(workers) < WORKERS:
                start_worker(listen_socket)
            signum = signal.sigwait(SIGNALS)  # the parent has nothing else to do
    finally:
        kill_workers()


def start_worker(listen_socket):
    pid = os.fork()  # called once, returns twice
    if pid == 0:  # in the child
        workers.clear()  # they are the parent's
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        work(listen_socket)
    workers.add(pid)


def work(listen_socket):
    while True:
        client_connection, client_address = listen_socket.accept()  # of those who wait, one wakes
        handle_request(client_connection)
        client_connection.close()


def do_nothing(signum, frame):
    pass


def reap_workers():
    for pid in list(workers):  # one SIGCHLD may stand for several
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            workers.remove(pid)
            print(f"Worker {pid} died, status {os.waitstatus_to_exitcode(status)}", flush=True)


def kill_workers():
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


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
