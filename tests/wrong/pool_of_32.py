"""Wrong: a pool of threads, made as they are needed, up to 32."""

from concurrent.futures import ThreadPoolExecutor

from polite import listen, serve

pool = ThreadPoolExecutor(32)
listen_socket = listen()
while True:
    connection, address = listen_socket.accept()
    pool.submit(serve, connection)
