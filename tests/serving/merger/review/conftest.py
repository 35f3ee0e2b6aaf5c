"""A store as new, on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from serving.merger.review.store import ReviewStore
from tests.pipeline.postgres import database, postgres

__all__ = ["database", "postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What a store is named by; its database is there and empty."""
    if request.param == "sqlite":
        return str(tmp_path / "review.sqlite")
    url: str = request.getfixturevalue("database")
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return url


@pytest.fixture
def store(target: str) -> Iterator[ReviewStore]:
    """An empty store."""
    store = ReviewStore(target)
    store.open()
    yield store
    store.close()
