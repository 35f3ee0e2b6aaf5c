"""One merger over one fake model server for the tests of a module."""

from tests.serving.conftest import fake, fake_server, running

__all__ = ["fake", "fake_server", "running"]
