"""Finds known products among more than a model remembers, by the index that its release has beside it.

The vectors stay on the disk, and what is looked at comes into memory by itself. Where a release has no such index, or
it cannot be read, the model's own is asked as ever.
"""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from schema.products.index import QUERY, TEXTS, VECTORS, index_folder
from serving.merger.models.messages import Neighbour

log = logging.getLogger(__name__)

MOST_OPEN: Final = 2
"""Releases whose index is kept open: the one that answers, and the one before it while they change."""


class ProductIndexes:
    """Reads them; searches one at a time in each.

    Args:
        releases: folder of releases, as model servers read it; empty: there are none.
    """

    def __init__(self, releases: str) -> None:
        self._releases = Path(releases) if releases else None
        self._open: dict[int, Any] = {}

    def nearest(self, version: int, embedding: Sequence[float], count: int) -> list[Neighbour] | None:
        """The nearest products, nearest first; None where the release has no index, or it cannot be read.

        Args:
            version: of the release.
            embedding: of the picture, as its article type's model tells it.
            count: how many.
        """
        if self._releases is None:
            return None
        folder = index_folder(self._releases, version)
        if version not in self._open:
            while len(self._open) >= MOST_OPEN:
                del self._open[next(iter(self._open))]
            self._open[version] = _opened(folder / VECTORS)
        index = self._open[version]
        return _asked(index, folder / TEXTS, embedding, count) if index is not None else None


def _opened(file: Path) -> Any:
    if not file.is_file():
        return None
    try:
        import faiss

        return faiss.read_index(str(file), faiss.IO_FLAG_MMAP)
    except (ImportError, RuntimeError) as error:
        cure = "install lookbook[index]" if isinstance(error, ImportError) else str(error)
        log.warning("a release's index of products cannot be read", extra={"file": str(file), "reason": cure})
        return None


def _asked(index: Any, texts: Path, embedding: Sequence[float], count: int) -> list[Neighbour] | None:
    import numpy as np

    if index.d != len(embedding):
        log.warning("an index of products is of another model", extra={"file": str(texts.parent)})
        return None
    similarities, places = index.search(np.array([embedding], np.float32), min(count, index.ntotal))
    try:
        with closing(sqlite3.connect(f"{texts.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as store:
            told = [store.execute(QUERY, [int(place)]).fetchone() for place in places[0]]
    except sqlite3.Error as error:
        log.warning("a release's index of products cannot be read", extra={"file": str(texts), "reason": str(error)})
        return None
    return [
        Neighbour(row[0], row[1], row[2], min(max(float(similarity), 0.0), 1.0))
        for row, similarity in zip(told, similarities[0], strict=True)
        if row  # a place below 0 stands for none
    ]
