# Wrong: whoever starts it again at once finds the port taken.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{PIPE} = "IGNORE";
my $listener = IO::Socket::INET->new(
    LocalAddr => $ENV{HOST}, LocalPort => $ENV{PORT}, Listen => 5)
    or die "Cannot serve: $@\n";
while (my $client = $listener->accept) {
    sysread $client, my $request, 65536;
    print $client "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";
    close $client;
}
