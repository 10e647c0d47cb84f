require "socket"

HOST = ENV.fetch("HOST", "127.0.0.1")
PORT = ENV.fetch("PORT", "8888")
$stdout.sync = true # what is printed is seen at once

# Your server: it listens on HOST and PORT, and whatever a client asks, the answer is
# "HTTP/1.1 200 OK\r\n\r\nHello, World!\n", and the end of the connection.
puts "Nothing listens on #{HOST}:#{PORT} yet."
