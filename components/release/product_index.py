"""The index of more products than a model remembers, so that all of them are found by ``/v1/similar``.

Below that number the model finds them itself, by comparing with each. This index is approximate: it compares with those
of the lists whose middle is nearest (faiss, ``IVF``), with eight bits a number (``SQ8``).
"""

import importlib.util
import logging
import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from components.model.nearest_pictures import MOST_PICTURES
from schema import names
from schema.products.index import INSERT, TABLE, TEXTS, VECTORS

_log = logging.getLogger("lookbook.release")

LISTS_ASKED: Final = 32
_TRAINED_ON: Final = 40
"""Vectors a list, by which the lists' middles are found; faiss asks for 39 at least."""
_BATCH: Final = 64


def count_rows(files: Sequence[str]) -> int:
    """Rows of gzipped TFRecords."""
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    return int(records.reduce(np.int64(0), lambda count, _: count + 1).numpy())


def is_wanted(splits: Sequence[Sequence[str]]) -> bool:
    """Whether a model remembers fewer of these splits' pictures than they have, and the library is there to help."""
    if all(count_rows(files) <= MOST_PICTURES for files in splits):
        return False
    if importlib.util.find_spec("faiss"):
        return True
    _log.warning(
        "the model remembers the first %s pictures of each split; the others are not found by /v1/similar, for want of "
        "the extra lookbook[index]",
        f"{MOST_PICTURES:,}",
    )
    return False


def write_index(model: Path, splits: Sequence[Sequence[str]], folder: Path) -> int:
    """Writes the index of all pictures of these splits.

    Args:
        model: SavedModel of the article type, whose signature ``neighbours`` tells embeddings.
        splits: of each the gzipped TFRecords.
        folder: for both files.

    Returns:
        How many pictures are in it.
    """
    count = sum(map(count_rows, splits))
    # On disk: 400,000 pictures are 1.2 GB, of which the library wants a part at a time.
    scratch = folder / "embeddings.tmp"
    embeddings: np.memmap | None = None
    placed = 0
    with closing(sqlite3.connect(folder / TEXTS)) as store, store:
        store.execute(TABLE)
        for rows, told in _embedded(model, splits):
            if embeddings is None:
                embeddings = np.memmap(scratch, np.float32, "w+", shape=(count, rows.shape[1]))
            embeddings[placed : placed + len(rows)] = rows
            store.executemany(INSERT, ((placed + i, *texts) for i, texts in enumerate(told)))
            placed += len(rows)
    assert embeddings is not None  # else it is not wanted
    _write_vectors(embeddings[:placed], folder / VECTORS)
    scratch.unlink()
    return placed


def _write_vectors(embeddings: np.ndarray, file: Path) -> None:
    import faiss

    lists = math.isqrt(len(embeddings))
    index = faiss.index_factory(embeddings.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    few = np.random.default_rng(0).choice(len(embeddings), min(len(embeddings), _TRAINED_ON * lists), replace=False)
    index.train(np.ascontiguousarray(embeddings[np.sort(few)]))
    for start in range(0, len(embeddings), MOST_PICTURES):
        index.add(np.ascontiguousarray(embeddings[start : start + MOST_PICTURES]))
    index.nprobe = min(LISTS_ASKED, lists)
    faiss.write_index(index, str(file))


def _embedded(model: Path, splits: Sequence[Sequence[str]]) -> Iterator[tuple[np.ndarray, list[tuple[str, str, str]]]]:
    """Batches of the pictures that can be read: embeddings float32[N, F], and id, article type and name of each."""
    loaded = tf.saved_model.load(str(model))  # kept whole: signatures alone do not keep their variables alive
    ask = loaded.signatures[names.NEIGHBOURS]
    columns = (names.ID, names.ARTICLE_TYPE_LABEL, names.PRODUCT_NAME)
    spec = {column: tf.io.FixedLenFeature([], tf.string, "") for column in (*columns, names.IMAGE)}
    for files in splits:
        records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP").batch(_BATCH)
        for row in records.map(lambda serialized: tf.io.parse_example(serialized, spec)).prefetch(2):
            answer = ask(image_bytes=row[names.IMAGE])
            is_ok = answer[names.IMAGE_OK].numpy()
            told = zip(*(_texts(row[column], is_ok) for column in columns), strict=True)
            yield answer[names.EMBEDDING].numpy()[is_ok], list(told)


def _texts(values: Any, kept: np.ndarray) -> list[str]:
    return [text.decode() for text in values.numpy()[kept]]
