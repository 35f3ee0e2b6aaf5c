"""Looks at MLMD's database before a run does: MLMD tells of a damaged file by a query of its own, or waits for ever."""

import contextlib
import sqlite3
from pathlib import Path

from pipeline.errors import RunError

WAIT_S = 5.0


def check_metadata(file: Path) -> None:
    """Makes sure that the database can be read and written.

    Raises:
      RunError: it is damaged, another program holds it, or it cannot be opened.
    """
    if not file.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=WAIT_S)) as connection:
            # Takes the lock that a run will need, and gives it back.
            connection.execute("BEGIN IMMEDIATE")
            [verdict] = connection.execute("PRAGMA quick_check(1)").fetchone()
            connection.rollback()
    except sqlite3.OperationalError as error:
        raise RunError(
            f"the record of earlier runs, {file}, cannot be used: {error}; end the program that has it open, or see "
            "whether it may be written"
        ) from error
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise RunError(
            f"the record of earlier runs, {file}, is damaged: {verdict}; put a copy back, or move it away to train "
            "anew (the releases stay as they are)"
        )
