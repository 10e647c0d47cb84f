"""What a cell prints, or the reason why it cannot be seen here."""

from lab.kernel import CannotSee, connections


def tell_connections(port):
    """Print the TCP connections with this port at either end, a line for each end."""
    try:
        ends = connections(port)
    except CannotSee as reason:
        print(reason)
        return
    for end in ends:
        (here, port), (there, other) = end.local, end.foreign
        print(f"{here}:{port} to {there}:{other}  {end.state}")
