"""Writes what was decided as a folder of corrections: ``python -m serving.merger.review.export FOLDER``.

The store is named by ``LOOKBOOK_REVIEW_STORE``, for it may hold a password.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from schema.corrections import Correction, CorrectionsError, write_corrections
from serving.merger.core.errors import SettingsError
from serving.merger.review.errors import StoreError
from serving.merger.review.store import ReviewStore
from serving.merger.settings import variable


def export(target: str, folder: Path) -> int:
    """Writes the decisions that hold; how many.

    Raises:
        SettingsError: ``target`` is no store.
        StoreError: the store cannot be read.
        CorrectionsError: a picture is not what it was when it was kept.
        OSError: the folder cannot be written to.
    """
    store = ReviewStore(target)
    store.check()
    try:
        return write_corrections(folder, _held(store))
    finally:
        store.close()


def _held(store: ReviewStore) -> Iterator[tuple[Correction, bytes]]:
    version = 0
    while found := store.in_force(version):
        yield from ((one.correction, one.picture) for one in found)
        version = found[-1].version


def main() -> int:
    """The command line; prints how many decisions it wrote and returns the exit status."""
    try:
        print(export(os.environ.get(variable("review_store"), ""), Path(sys.argv[1])))
    except StoreError as error:
        print(f"this is no review store, or it cannot be read: {error}", file=sys.stderr)
        return 1
    except (SettingsError, CorrectionsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
