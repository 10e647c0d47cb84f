# Wrong: a status line ends after its number, without a blank.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{PIPE} = "IGNORE";
my $listener = IO::Socket::INET->new(
    LocalAddr => $ENV{HOST}, LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1)
    or die "Cannot serve: $@\n";
while (my $client = $listener->accept) {
    sysread $client, my $request, 65536;
    print $client "HTTP/1.1 200\r\n\r\nHello, World!\n";
    close $client;
}
