"""The server that MODEL_SERVER names, else an embedded one on tiny models."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from schema import heads as table
from tests import tiny_models
from tests.contract.server import PATIENCE_S, Server
from tests.model_server.process import model_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server under test, with the models that it serves."""
    given = os.environ.get("MODEL_SERVER")
    with _connected(given) if given else _embedded(tmp_path_factory.mktemp("contract")) as running:
        yield running


@contextmanager
def _embedded(folder: Path) -> Iterator[Server]:
    for version in (1, 2):
        tiny_models.write(folder / "models", "--version", version, "--weights", version, "--shares")
    with model_server(folder / "models", folder) as process, _connected(process.target) as running:
        yield running


@contextmanager
def _connected(target: str) -> Iterator[Server]:
    with grpc.insecure_channel(target) as channel:
        grpc.channel_ready_future(channel).result(PATIENCE_S)
        names = [name for name in os.environ.get("MODELS", "").split(",") if name] or list(table.MODELS)
        running = Server(target, names, channel)
        for name in names:
            assert running.versions(name), f"{target} serves no version of {name}; set MODELS to those that it serves"
        yield running


@pytest.fixture(scope="session")
def model(server: Server) -> str:
    """One model of the server."""
    return server.models[0]
