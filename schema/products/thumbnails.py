"""Where a release keeps small pictures of the products that it knows, and how: one SQLite file, a row a product."""

from pathlib import Path
from typing import Final

from schema import names

FILE: Final = "thumbnails.sqlite"
TABLE: Final = "CREATE TABLE thumbnails (id TEXT PRIMARY KEY, image BLOB NOT NULL) WITHOUT ROWID"
INSERT: Final = "INSERT OR IGNORE INTO thumbnails VALUES (?, ?)"
QUERY: Final = "SELECT image FROM thumbnails WHERE id = ?"


def thumbnails_file(releases: Path, version: int) -> Path:
    """The file of a release, beside its article type's model: so it is hashed, pruned and copied with that."""
    return releases / names.ARTICLE_TYPE / str(version) / "assets.extra" / FILE
