# Right, as stages 1, 3a and 3b: one client after another.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{PIPE} = "IGNORE";    # who writes to a client that is gone gets EPIPE
my $host = $ENV{HOST} || "127.0.0.1";
my $port = $ENV{PORT} || 8888;
my $listen = IO::Socket::INET->new(LocalAddr => $host, LocalPort => $port, Listen => 5,
    ReuseAddr => 1) or die "Cannot serve on $host:$port: $!\n";
while (my $connection = $listen->accept) {
    if (defined sysread $connection, my $request, 65536) {
        syswrite $connection, "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";
        select undef, undef, undef, $ENV{DELAY} || 0;
    }
    close $connection;
}
