"""Servers for many tests: to start one for each line of a table would take too long."""

import pytest

from complete import servers_that_stay


@pytest.fixture(scope="module")
def serve():
    """serve(stage, application) starts a stage, once for all tests of a module."""
    with servers_that_stay() as serve:
        yield serve
