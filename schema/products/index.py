"""Where a release keeps the index of more products than its model remembers: beside its article type's model.

Two files: vectors as faiss writes them, and what is told of each, by its place in there.
"""

from pathlib import Path
from typing import Final

from schema import names

VECTORS: Final = "products.faiss"
TEXTS: Final = "products.sqlite"
TABLE: Final = (
    "CREATE TABLE products (place INTEGER PRIMARY KEY, id TEXT NOT NULL, label TEXT NOT NULL, name TEXT NOT NULL)"
)
INSERT: Final = "INSERT INTO products VALUES (?, ?, ?, ?)"
QUERY: Final = "SELECT id, label, name FROM products WHERE place = ?"


def index_folder(releases: Path, version: int) -> Path:
    """The folder of both files, of a release that has them: so they are hashed, pruned and copied with its model."""
    return releases / names.ARTICLE_TYPE / str(version) / "assets.extra"
