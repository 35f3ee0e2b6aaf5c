"""The database is what a setting names, of the version that the code knows, and says in words when it is not."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from serving.merger.core.errors import SettingsError
from serving.merger.review.engine import make_engine, store_url
from serving.merger.review.errors import StoreError
from serving.merger.review.store import ReviewStore
from serving.merger.review.tables import metadata
from tests.serving.merger.review.offering import claimed, keep


def test_migrations_make_the_tables_that_the_code_knows(store: ReviewStore, target: str) -> None:
    """Who changes a table and forgets the migration is told here."""
    engine = make_engine(store_url(target))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_several_mergers_that_start_at_once_migrate_once(target: str) -> None:
    """The first one makes the tables while the others wait, and all of them can use them."""
    stores = [ReviewStore(target) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ReviewStore.open, stores))
    for number, store in enumerate(stores):
        keep(store, f"shoe {number}")
    assert stores[0].count().open == 4
    for store in stores:
        store.close()


def test_a_newer_database_is_refused(store: ReviewStore, target: str) -> None:
    """An older Lookbook does not write into tables that it does not know; what is in there stays."""
    keep(store, "shoe")
    engine = make_engine(store_url(target))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="of version 9999, and this Lookbook knows it up to 0001"):
        ReviewStore(target).open()
    assert store.count().open == 1
    engine.dispose()


def test_a_database_that_is_locked_or_no_database_is_told_in_words(tmp_path: Path) -> None:
    """Each call ends within seconds and says why; afterwards the store works on."""
    store = ReviewStore(str(tmp_path / "review.sqlite"))
    store.open()
    with make_engine(store_url(str(tmp_path / "review.sqlite"))).begin(), pytest.raises(StoreError, match="locked"):
        keep(store, "shoe")
    keep(store, "shoe")
    claimed(store)
    (tmp_path / "text").write_text("no database at all, but words")
    with pytest.raises(StoreError, match="not a database"):
        ReviewStore(str(tmp_path / "text")).open()
    with pytest.raises(StoreError, match="unable to open"):
        ReviewStore(str(tmp_path / "nowhere" / "review.sqlite")).open()
    nobody = "postgresql://lookbook:s3cret@127.0.0.1:9/review"
    with pytest.raises(StoreError, match="refused") as told:
        ReviewStore(nobody).open()
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    "text_",
    [
        "mysql://u:s3cret@h/d",
        "postgresql://u:s3cret@h",
        "sqlite://",
        "://s3cret",
        "postgresql://h:s3cret/d",
        "s3cret://",
    ],
)
def test_what_is_no_database_is_refused_without_repeating_it(text_: str) -> None:
    """A URL may hold a password, and logs are read by many."""
    with pytest.raises(SettingsError, match="LOOKBOOK_REVIEW_STORE") as told:
        store_url(text_)
    assert "s3cret" not in str(told.value)


def test_paths_and_urls_name_the_same_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path below where the process stands, from the root or as a URL of SQLAlchemy; PostgreSQL by either name."""
    monkeypatch.chdir(tmp_path)
    assert {store_url(one).database for one in ("a.db", f"{tmp_path}/a.db", "sqlite:///a.db")} == {f"{tmp_path}/a.db"}
    assert store_url("postgres://u:p@h/d") == store_url("postgresql://u:p@h/d")


def test_a_merger_without_a_store_imports_none_of_it() -> None:
    """Neither its start nor its memory pays for what it does not do."""
    code = "import sys, serving.merger.server, serving.merger.rest.app; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "alembic", "psycopg"} & set(run.stdout.split())
