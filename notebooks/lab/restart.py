"""A server that is started again on the port that another one has had before."""

from lab.server import Server, ServerError


def start_again(command, port):
    """Start a server on that port, once, and stop it; what it said: that it serves, or why not."""
    with Server(command, port=port) as server:
        try:
            server.wait_until_ready()
        except ServerError:
            if server.exit_status is None:
                raise
        return (server.stdout + server.stderr).strip()
