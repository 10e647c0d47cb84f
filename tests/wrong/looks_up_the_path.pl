# Wrong: it splits what may be no request, and dies of it.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{PIPE} = "IGNORE";
my $listener = IO::Socket::INET->new(
    LocalAddr => $ENV{HOST}, LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1)
    or die "Cannot serve: $@\n";
while (my $client = $listener->accept) {
    sysread $client, my $request, 65536;
    if ($request) {
        my ($method, $path, $version) = split " ", $request;
        die "No version\n" unless defined $version;
    }
    print $client "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";
    close $client;
}
