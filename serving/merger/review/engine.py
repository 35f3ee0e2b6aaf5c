"""From a setting to a database: SQLite by a path, PostgreSQL by its URL."""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from serving.merger.core.errors import SettingsError

CONNECTIONS: Final = 4
WAIT_S: Final = 5
"""Longest wait for a lock, a connection or a statement."""
READING: Final = {"reading": True}
"""Execution option of transactions that write nothing."""
_RIGHT: Final = "it must be a path, for SQLite, or postgresql://USER:PASSWORD@HOST/DATABASE (it is not shown: secrets)"


def store_url(text: str) -> URL:
    """The database that a setting names.

    Raises:
        SettingsError: it names none; what it says is not repeated, for it may hold a password.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise SettingsError(f"LOOKBOOK_REVIEW_STORE is no URL of a database; {_RIGHT}.") from error
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg") and url.database:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database and not url.query:
        return URL.create("sqlite", database=str(Path(url.database).expanduser().absolute()))
    raise SettingsError(f"LOOKBOOK_REVIEW_STORE names no database that can be used; {_RIGHT}.")


def make_engine(url: URL) -> Engine:
    """An engine that has connected to nothing yet."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": WAIT_S}, pool_size=CONNECTIONS, max_overflow=0)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # No statements that the server prepares: poolers between would not know them.
    options = {"connect_timeout": WAIT_S, "tcp_user_timeout": 2000 * WAIT_S, "prepare_threshold": None}
    engine = create_engine(
        url, connect_args=options, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=WAIT_S, pool_pre_ping=True
    )
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the driver's own idea of when a transaction begins
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # a picture that is removed is overwritten


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes would fail where another one wrote meanwhile.
    kind = "DEFERRED" if connection.get_execution_options().get("reading") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {kind}")


def _set_up_postgresql(connection: Any, _: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{WAIT_S}s'")
        cursor.execute(f"SET lock_timeout = '{WAIT_S}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{4 * WAIT_S}s'")
    connection.commit()
