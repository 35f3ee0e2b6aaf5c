"""Examples of one split as the trainers want them: decoded once, kept as uint8, through the transform graph."""

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from components.model import preprocessing
from schema import heads as table
from schema import names

_READ_BATCH = 128
_SHUFFLE_ROWS = 8_192
"""Rows to choose the next one from. The files are ordered by a hash of the group, so this is plenty."""


def read_split(
    file_patterns: Sequence[str], transform_output: tft.TFTransformOutput, heads: Sequence[str], cache: str = ""
) -> tf.data.Dataset:
    """Reads one split, decoded by the same graph that serves.

    Args:
      file_patterns: of gzipped TFRecords of raw ``tf.train.Example``.
      transform_output: of the Transform component.
      heads: whose labels are wanted.
      cache: path that the decoded rows are kept at, its folder must exist; in memory where none is given.

    Returns:
      A data set of single rows ``(uint8[H, W, 3], {head: int64[]})``, cached once it has been read to its end.
    """
    layer = transform_output.transform_features_layer()
    raw = transform_output.raw_feature_spec()
    spec = {key: raw[key] for key in (names.IMAGE, *table.columns(map(table.head, heads)))}

    def transform(serialized: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        features = layer(tf.io.parse_example(serialized, spec))
        labels = {head: features[names.label_id(head)] for head in heads}
        # preprocessing rounds to whole numbers, so nothing is lost in a quarter of the memory.
        return tf.cast(features[preprocessing.IMAGE_FEATURE], tf.uint8), labels

    rows = _records(file_patterns).map(transform, num_parallel_calls=tf.data.AUTOTUNE)
    return rows.unbatch().cache(cache)


def read_ids(file_patterns: Sequence[str]) -> list[str]:
    """Ids of the rows of one split, in the order of :func:`read_split`."""
    spec = {names.ID: tf.io.FixedLenFeature([], tf.string)}
    batches = _records(file_patterns).map(lambda serialized: tf.io.parse_example(serialized, spec)[names.ID])
    return [row_id.decode() for batch in batches.as_numpy_iterator() for row_id in batch]


def _records(file_patterns: Sequence[str]) -> tf.data.Dataset:
    """Batches of serialized examples, string[N]."""
    # Sorted: both models' rows must come in one order, and a file system promises none.
    files = sorted(tf.io.gfile.glob(list(file_patterns)))
    return tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_READ_BATCH)


def training_batches(rows: tf.data.Dataset, batch_size: int, seed: int) -> tf.data.Dataset:
    """Batches of the training split, in a new order each epoch."""
    return rows.shuffle(_SHUFFLE_ROWS, seed=seed, reshuffle_each_iteration=True).batch(batch_size)


def one_hot(batches: tf.data.Dataset, classes: dict[str, int]) -> tf.data.Dataset:
    """Labels int64[N] of each head as shares float32[N, C]; one that is unknown to training, or not there, has none."""

    def spread(images: tf.Tensor, labels: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return images, {head: tf.one_hot(ids, classes[head]) for head, ids in labels.items()}

    return batches.map(spread, num_parallel_calls=tf.data.AUTOTUNE)


def path_counts(transform_output: tft.TFTransformOutput) -> dict[tuple[str, ...], int]:
    """Rows of each taxonomy path in the training split: its labels from the top down."""
    counts = _counts(transform_output, preprocessing.PATH_VOCABULARY)
    return {tuple(path.split(preprocessing.PATH_SEPARATOR)): rows for path, rows in counts.items()}


def _counts(transform_output: tft.TFTransformOutput, vocabulary: str) -> dict[str, int]:
    # The file holds "count text" lines; only the text may have spaces.
    with tf.io.gfile.GFile(transform_output.vocabulary_file_by_name(vocabulary)) as lines:
        pairs = (line.rstrip("\n").split(" ", 1) for line in lines)
        return {text: int(count) for count, text in pairs}


def class_counts(transform_output: tft.TFTransformOutput, heads: Sequence[str]) -> dict[str, list[int]]:
    """Head → rows of each of its classes in the training split, in the order of their ids."""
    rows = {head: _counts(transform_output, preprocessing.counts_vocabulary(head)) for head in heads}
    return {head: [rows[head][label] for label in head_labels(transform_output, head)] for head in heads}


def head_labels(transform_output: tft.TFTransformOutput, head: str) -> list[str]:
    """Labels of ``head`` in the order of their ids, most frequent first."""
    return [label.decode() for label in transform_output.vocabulary_by_name(head)]
