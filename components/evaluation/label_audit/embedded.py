"""The pictures of a catalogue as vectors, a batch at a time."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.pictures import UnusablePicture, load_picture
from components.catalogue.reading.source import Catalogue
from components.model.embedding import FrozenEmbedding

_BATCH: Final = 128


def embed_pictures(
    catalogue: Catalogue, ids: Sequence[str], progress: Callable[[int], object] = lambda rows: None
) -> np.ndarray:
    """Features float32[N, 1280] of the pictures of these rows.

    Args:
        catalogue: that has them.
        ids: of rows whose pictures decode, as those of a plan do.
        progress: called with the number of rows done since the last call.

    Raises:
        CatalogueError: one of them cannot be read any more.
    """
    embed = FrozenEmbedding()
    parts = []
    for start in range(0, len(ids), _BATCH):
        some = ids[start : start + _BATCH]
        parts.append(embed([_content(catalogue, one) for one in some]))
        progress(len(some))
    return np.concatenate(parts) if parts else np.zeros((0, 1))


def _content(catalogue: Catalogue, row_id: str) -> bytes:
    try:
        return load_picture(catalogue, row_id).content
    except UnusablePicture as error:
        raise CatalogueError(f"{catalogue.path}: the picture of {row_id} was good a while ago: {error}") from error
