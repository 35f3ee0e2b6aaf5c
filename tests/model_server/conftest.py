"""A shelf of tiny releases, made once, and real model servers that serve copies of them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before anything imports TensorFlow

from tests.model_server.running import RunningServer, Shelf, start

Start = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """An empty folder for base paths."""
    return tmp_path / "models"


@pytest.fixture
def serve(models: Path, tmp_path: Path) -> Iterator[Start]:
    """``serve(**flags)`` serves ``models`` by the committed configuration; stopped at the end of the test."""
    with ExitStack() as stack:
        yield lambda **flags: stack.enter_context(start(models, tmp_path / "config", **flags))


@pytest.fixture(scope="module")
def server(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Versions 1 and 2 of both models, answering by ``weights`` 0 and 1."""
    folder = tmp_path_factory.mktemp("server")
    shelf.push(folder / "models", "plain", 1)
    shelf.push(folder / "models", "other", 2)
    with start(folder / "models", folder / "config") as running:
        yield running
