"""Small pictures of known products, out of the release's own files; read, never written.

They lie beside the article type's model as one SQLite file, whose rows are found without holding any in memory. Where
that cannot be read the products are told without pictures: they are an ornament, and the log says what is wrong.
"""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from schema.products.thumbnails import QUERY, thumbnails_file

log = logging.getLogger(__name__)


class Thumbnails:
    """Reads them.

    Args:
        releases: folder of releases, as model servers read it; empty: there are none.
    """

    def __init__(self, releases: str) -> None:
        self._releases = releases
        self._told: set[int] = set()

    def of(self, version: int, ids: Sequence[str]) -> list[bytes]:
        """The picture of each product of a release, JPEG or PNG; ``b""`` for one that has none."""
        if not self._releases:
            return [b""] * len(ids)
        file = thumbnails_file(Path(self._releases), version)
        try:
            # The file of a release never changes; so nothing of it is locked or watched.
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as store:
                found = [store.execute(QUERY, [one]).fetchone() for one in ids]
                return [bytes(row[0]) if row else b"" for row in found]
        except (sqlite3.Error, TypeError) as error:
            if version not in self._told:
                self._told.add(version)
                log.warning("a release's thumbnails cannot be read", extra={"file": str(file), "reason": str(error)})
            return [b""] * len(ids)
