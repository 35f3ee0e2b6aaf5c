"""Writes rows with their pictures as tf.Examples, in the files that TFX expects of an ExampleGen."""

from collections.abc import Iterable

import tensorflow as tf

from components.catalogue.reading.pictures import load_picture
from components.catalogue.reading.source import Catalogue
from components.catalogue.splitting.plan import Placed, in_order
from schema import names

GZIP = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)  # pictures are compressed already


def write_shard(catalogue: Catalogue, rows: Iterable[Placed], split_uri: str, index: int, count: int) -> None:
    """Writes ``data_tfrecord-<index>-of-<count>.gz`` under ``split_uri``, one picture in memory at a time.

    The order of ``rows`` does not matter.

    Raises:
        UnusablePicture: a picture that was taken before is gone or another.
    """
    tf.io.gfile.makedirs(split_uri)
    path = f"{split_uri}/data_tfrecord-{index:05d}-of-{count:05d}.gz"
    with tf.io.TFRecordWriter(path, GZIP) as writer:
        for placed in sorted(rows, key=in_order):
            image = load_picture(catalogue, placed.row.id).content
            writer.write(make_example(placed, image).SerializeToString(deterministic=True))


def make_example(placed: Placed, image: bytes) -> tf.train.Example:
    """All features are bytes but the year, an int64; an empty cell is an absent feature."""
    example = tf.train.Example()
    features = example.features.feature
    for key, text in {names.ID: placed.row.id, names.GROUP: placed.group, **placed.row.cells}.items():
        if key == names.YEAR:
            features[key].int64_list.value.append(int(text))
        else:
            features[key].bytes_list.value.append(text.encode())
    features[names.IMAGE].bytes_list.value.append(image)
    return example
