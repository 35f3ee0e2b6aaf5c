"""Versions that are no models appear beside one that is served: it goes on answering."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before anything imports TensorFlow

from schema import names
from tests import tiny_models
from tests.hardening.promises import Promises
from tests.model_server.running import RunningServer, Shelf, best_labels, start, wait_until

MODEL = names.CATEGORY


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def server(shelf: Shelf, tmp_path: Path) -> Iterator[RunningServer]:
    """A model server with version 1 of both models."""
    shelf.push(tmp_path / "models", "plain", 1)
    with start(tmp_path / "models", tmp_path / "config") as running:
        yield running


def is_answered(server: RunningServer, version: int, weights: int = 0) -> bool:
    reply = server.predict(MODEL, "red")
    [label] = best_labels(reply, "sub_category")
    right = tiny_models.expected("red", weights)["sub_category"]
    return reply.model_spec.version.value == version and label == right


def test_corrupt_model(promise: Promises, server: RunningServer, shelf: Shelf, tmp_path: Path) -> None:
    """A version whose files are noise never replaces the one before; a good one after it does."""
    with promise("models: a corrupt SavedModel appears", "version 1 answers on; version 3 takes over") as row:
        shelf.push(tmp_path / "models", "garbage", 2, only=MODEL)
        wait_until(lambda: server.states(MODEL).get(2) == "END", "the corrupt version given up")
        assert is_answered(server, 1)
        shelf.push(tmp_path / "models", "other", 3)
        server.wait_for(MODEL, 3, "AVAILABLE")
        wait_until(lambda: is_answered(server, 3, weights=1), "answers of version 3")
        row.seen = f"states {server.states(MODEL)}"


def test_half_copied_model(promise: Promises, server: RunningServer, shelf: Shelf, tmp_path: Path) -> None:
    """A version that is still being copied is not served half, and is served when the copy is whole."""
    with promise("models: a half-copied SavedModel appears", "version 1 answers on; version 2 when it is whole") as row:
        shelf.push(tmp_path / "elsewhere", "other", 2, only=MODEL)
        source, target = tmp_path / "elsewhere" / MODEL / "2", tmp_path / "models" / MODEL / "2"
        shutil.copytree(source, target, ignore=lambda *_: ["saved_model.pb"])
        for _ in range(20):
            assert is_answered(server, 1)
        shutil.copy(source / "saved_model.pb", target / "saved_model.pb.part")
        (target / "saved_model.pb.part").rename(target / "saved_model.pb")
        wait_until(lambda: is_answered(server, 2, weights=1), "answers of version 2")
        row.seen = f"states {server.states(MODEL)}"
