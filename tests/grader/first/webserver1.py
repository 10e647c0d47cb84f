
import os

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8888"

# Your server: it listens on HOST and PORT, and whatever a client asks, the answer is
# b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n", and the end of the connection.
print(f"Nothing listens on {HOST}:{PORT} yet.")
