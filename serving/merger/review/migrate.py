"""Brings a database to the tables that this code knows: one process at a time, and never back."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from serving.merger.review.errors import StoreError

_LOCK: Final = 7_309_453_120_771
"""PostgreSQL's advisory lock of whoever migrates; any number that nobody else uses."""


def migrate(engine: Engine) -> None:
    """Makes the tables, or brings them up.

    Raises:
        StoreError: the database is newer than this code.
        SQLAlchemyError: the database does not do it.
    """
    # Of SQLite the transaction itself is the lock: it begins as one that writes.
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_revision()
    known = [script.revision for script in scripts.walk_revisions()]
    if found == known[0]:
        return
    if found is not None and found not in known:
        raise StoreError(
            f"the review store is of version {found}, and this Lookbook knows it up to {known[0]}: it was used by a "
            "newer one; run that one, or name another store"
        )
    command.upgrade(config, "head")
