# A server of stage 1 in Perl: it reads a request line by line, up to the empty one.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{PIPE} = "IGNORE";
my $listener = IO::Socket::INET->new(
    LocalAddr => $ENV{HOST}, LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1)
    or die "Cannot serve: $@\n";
while (my $client = $listener->accept) {
    while (my $line = <$client>) {
        last if $line =~ /^\r?\n$/;
    }
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nHello, World!";
    close $client;
}
