"""What the tests of production share: nginx, instances and sockets that end with the test."""

import pytest

from lab import CannotSee, production
from lab.production import program


def needed(*programs):
    """Skip the test, saying why, unless these programs are here."""
    try:
        for name in programs:
            program(name)
    except CannotSee as why:
        pytest.skip(str(why))


@pytest.fixture
def start_nginx(servers):
    """start_nginx(instances, changes): part3/nginx.conf in front of them, until the test ends."""
    def start_nginx(instances, changes=()):
        needed("nginx", "openssl")
        nginx = servers.enter_context(production.start_nginx(instances, changes))
        servers.callback(lambda: servers.pids.extend(nginx.members()))
        return nginx
    return start_nginx


@pytest.fixture
def start_instance(servers):
    """start_instance(application, *options): the last server, until the test ends."""
    def start_instance(application, *options, **more):
        server = servers.enter_context(production.start_instance(application, *options, **more))
        servers.callback(lambda: servers.pids.extend(server.members()))
        return server
    return start_instance
