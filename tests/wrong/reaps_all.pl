# Right, as stage 3g: a process for each client, and a handler that waits for all who have ended.
use strict;
use warnings;
use Errno "EINTR";
use IO::Socket::INET;
use POSIX ":sys_wait_h";

$SIG{PIPE} = "IGNORE";
$SIG{CHLD} = sub { local ($!, $?); 1 while waitpid(-1, WNOHANG) > 0 };
my $host = $ENV{HOST} || "127.0.0.1";
my $port = $ENV{PORT} || 8888;
my $listen = IO::Socket::INET->new(LocalAddr => $host, LocalPort => $port, Listen => 1024,
    ReuseAddr => 1) or die "Cannot serve on $host:$port: $!\n";
while (1) {
    my $connection = $listen->accept;
    next if !$connection && $! == EINTR;
    die "Cannot accept: $!\n" if !$connection;
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
