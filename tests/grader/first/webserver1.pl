use strict;
use warnings;
use Socket;

my $HOST = $ENV{HOST} || "127.0.0.1";
my $PORT = $ENV{PORT} || "8888";
$| = 1;    # what is printed is seen at once

# Your server: it listens on $HOST and $PORT, and whatever a client asks, the answer is
# "HTTP/1.1 200 OK\r\n\r\nHello, World!\n", and the end of the connection.
print "Nothing listens on $HOST:$PORT yet.\n";
