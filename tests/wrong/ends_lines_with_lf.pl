# Wrong: its lines end as lines of a file do.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{PIPE} = "IGNORE";
my $listener = IO::Socket::INET->new(
    LocalAddr => $ENV{HOST}, LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1)
    or die "Cannot serve: $@\n";
while (my $client = $listener->accept) {
    sysread $client, my $request, 65536;
    print $client "HTTP/1.1 200 OK\n\nHello, World!\n";
    close $client;
}
