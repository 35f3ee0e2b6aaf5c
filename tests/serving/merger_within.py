"""A real merger within the test's own process, for what no setting and no request can bring about."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from serving.merger.server import Server
from serving.merger.settings import Settings
from tests.serving.merger_process import PATIENCE_S


@contextlib.asynccontextmanager
async def merger_within(
    target: str = "127.0.0.1:1", **settings: Any
) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    """A merger on free ports of loopback, and a client of its REST port; without a target its models are away."""
    models = {"article_type_target": target, "category_target": target}
    ports = {"http_port": 0, "grpc_port": 0, "admin_port": 0}
    server = Server(Settings(**(ports | models | {"web_dir": Path("/nowhere"), "drain_timeout_ms": 1_000} | settings)))
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.http_port}", timeout=PATIENCE_S) as client:
            yield server, client
    finally:
        await server.stop(0.0)
