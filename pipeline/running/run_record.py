"""Looks at MLMD's file before anything opens it: its own words for a damaged one are a page of SQL."""

import contextlib
import os
import sqlite3
from pathlib import Path

from pipeline.config import Layout
from pipeline.errors import RunError

_WAIT_SECONDS = 5.0


def require_usable_record(layout: Layout) -> None:
    """Sees to it that the record of earlier runs, where there is one, can be read and written.

    Raises:
        RunError: it is damaged, cannot be written, another program holds it, or its server does not take it.
    """
    if layout.metadata_url:
        from pipeline.running.record_store import require_server  # which brings TFX

        require_server(layout)
        return
    if not layout.metadata.exists():
        return
    if not os.access(layout.metadata, os.W_OK):
        raise RunError(f"{layout.metadata} cannot be written; give yourself the right to, or give another --root")
    try:
        damage = _damage(layout.metadata)
    except sqlite3.DatabaseError as error:
        raise RunError(_in_words(error, layout)) from error
    if damage:
        raise RunError(_damaged(layout, damage))


def _damage(path: Path) -> str:
    """What SQLite finds wrong; a transaction that changes nothing tells whether others would let us write."""
    with contextlib.closing(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
        connection.execute("ROLLBACK")
    return "" if found == "ok" else " ".join(found.split())


def _in_words(error: sqlite3.DatabaseError, layout: Layout) -> str:
    said = str(error)
    if "locked" in said:
        return (
            f"{layout.metadata} is locked by another program, for more than {_WAIT_SECONDS:.0f} s; close what has it "
            "open, or give another --root"
        )
    return _damaged(layout, said)


def _damaged(layout: Layout, damage: str) -> str:
    # Artifacts are numbered by the record: those of an old one would lie in the way of a new one's.
    return (
        f"{layout.metadata} is damaged ({damage}); put a backup of it back, or remove it and {layout.artifacts}: then "
        "every step runs anew, and the releases stay"
    )
