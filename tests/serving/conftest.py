"""One fake model server and one merger for all tests of a module; each test begins with the fake as new."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fake_server() -> AsyncIterator[FakeModelServer]:
    """The fake model server of the module."""
    server = FakeModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    fake_server: FakeModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MergerProcess]:
    """The merger of the module."""
    folder: Path = tmp_path_factory.mktemp("merger")
    async with merger(folder, fake_server.target, request_timeout_ms=5000) as process:
        await process.ready()
        yield process


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: MergerProcess, fake_server: FakeModelServer) -> FakeModelServer:
    """The fake model server, as new, and the merger of the module knowing that it is."""
    fake_server.reset()
    await running.ready(release=1)
    return fake_server
