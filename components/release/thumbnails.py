"""Small pictures of the products that a release knows, as one file beside its article type's model."""

import io
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import tensorflow as tf
from PIL import Image

from components.model.nearest_pictures import MOST_PICTURES
from schema import names
from schema.pictures import read_header, to_pixels
from schema.products.thumbnails import INSERT, TABLE

SIZE: Final = (120, 160)
"""Widest and highest, in pixels; a picture that is no larger, nor its file, stays as it is."""
MOST_BYTES: Final = 8 * 2**10


def write_thumbnails(splits: Sequence[Sequence[str]], file: Path, all_of_them: bool = False) -> None:
    """Writes the pictures of these splits, each as far as a model remembers it.

    Args:
        splits: of each the gzipped TFRecords.
        file: SQLite, made anew; a row an id, of which the first counts.
        all_of_them: where an index names more than a model remembers.
    """
    with closing(sqlite3.connect(file)) as store, store:
        store.execute(TABLE)
        for files in splits:
            store.executemany(INSERT, _rows(files, -1 if all_of_them else MOST_PICTURES))


def _rows(files: Sequence[str], most: int) -> Iterator[tuple[str, bytes]]:
    spec = {key: tf.io.FixedLenFeature([], tf.string) for key in (names.ID, names.IMAGE)}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP").take(most)
    for row in records.map(lambda record: tf.io.parse_single_example(record, spec)).as_numpy_iterator():
        yield row[names.ID].decode(), small(row[names.IMAGE])


def small(image: bytes) -> bytes:
    """A picture in the gate's normal form, made small enough to be shown beside others."""
    header = read_header(image)
    if header.width <= SIZE[0] and header.height <= SIZE[1] and len(image) <= MOST_BYTES:
        return image
    pixels = to_pixels(header).convert("RGB")
    pixels.thumbnail(SIZE, Image.Resampling.BILINEAR)
    file = io.BytesIO()
    pixels.save(file, "JPEG", quality=80)
    return file.getvalue()
