# Right, as stage 3e: the signal of a child's end interrupts accept, and it dies of that.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();

$SIG{PIPE} = "IGNORE";
$SIG{CHLD} = sub { local $!; wait };
my $host = $ENV{HOST} || "127.0.0.1";
my $port = $ENV{PORT} || 8888;
my $listen = IO::Socket::INET->new(LocalAddr => $host, LocalPort => $port, Listen => 1024,
    ReuseAddr => 1) or die "Cannot serve on $host:$port: $!\n";
while (1) {
    my $connection = $listen->accept or die "Cannot accept: $!\n";
    my $pid = fork;
    die "Cannot fork: $!\n" if !defined $pid;
    if ($pid == 0) {
        close $listen;
        if (defined sysread $connection, my $request, 65536) {
            syswrite $connection, "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";
            select undef, undef, undef, $ENV{DELAY} || 0;
        }
        POSIX::_exit(0);
    }
    close $connection;
}
