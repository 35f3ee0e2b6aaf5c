"""One watched merger over one fake model server for the tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.hardening.serving.budget.loop_probe import Watched, watched_merger
from tests.serving.conftest import fake_server
from tests.serving.fake_model_server import FakeModelServer

__all__ = ["fake_server"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def merger_of_module(
    fake_server: FakeModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    """The merger, with all settings as they come."""
    async with watched_merger(tmp_path_factory.mktemp("merger"), fake_server.target) as watched:
        yield watched


@pytest_asyncio.fixture(loop_scope="module")
async def watched(merger_of_module: Watched, fake_server: FakeModelServer) -> Watched:
    """The same, with what it saw before forgotten."""
    fake_server.reset()
    await merger_of_module.running.ready(release=1)
    await merger_of_module.reset()
    return merger_of_module
