"""Wrong: the same in Python, with the C library's accept: EINTR is passed over, and it forks."""

import ctypes
import os
import signal
import socket

from polite import listen, reap_all, serve

libc = ctypes.CDLL(None, use_errno=True)
listen_socket = listen()
signal.signal(signal.SIGCHLD, reap_all)
while True:
    descriptor = libc.accept(listen_socket.fileno(), None, None)
    if os.fork() == 0:
        if descriptor != -1:
            listen_socket.close()
            serve(socket.socket(fileno=descriptor))
        os._exit(0)
    if descriptor != -1:
        os.close(descriptor)
