"""Examples of one split as the trainers want them: decoded once, kept as uint8, through the transform graph."""

import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.model import preprocessing
from components.naming.own_words import without_own_words
from schema import heads as table
from schema import names
from schema.product_names import plain

_CACHE: Final = "cache"

_READ_BATCH = 128
_SHUFFLE_ROWS = 8_192
"""Rows to choose the next one from. The files are ordered by a hash of the group, so this is plenty."""


@contextmanager
def cache_folder(run_dir: Path, owner: str = "") -> Iterator[str]:
    """A folder for the decoded rows of a training; what a killed process of the same owner left in it is removed."""
    prefix = f"{_CACHE}{owner}-"
    _remove(run_dir.glob(f"{prefix}*"))
    # Beside the run, whose disk has room for it, and where the next training finds what a killed one left. On NFS a
    # file that is still open leaves its folder behind.
    with tempfile.TemporaryDirectory(prefix=prefix, dir=run_dir, ignore_cleanup_errors=True) as folder:
        yield folder


def forget_caches(run_dir: Path) -> None:
    """Removes what trainings left below the same root that were killed; the caller holds the root's lock."""
    _remove(run_dir.parents[2].glob(f"*/model_run/*/{_CACHE}*"))


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


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


def read_texts(file_patterns: Sequence[str], columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of text of one split, column → str[N], in the order of :func:`read_split`; "" where a row has none."""
    spec = {column: tf.io.FixedLenFeature([], tf.string, "") for column in columns}
    batches = _records(file_patterns).map(lambda serialized: tf.io.parse_example(serialized, spec))
    rows: dict[str, list[str]] = {column: [] for column in columns}
    for batch in batches.as_numpy_iterator():
        for column, texts in rows.items():
            texts += [text.decode() for text in batch[column]]
    return {column: np.array(texts, np.str_) for column, texts in rows.items()}


def read_names(file_patterns: Sequence[str]) -> list[str]:
    """The products' names of one split, plain, in the order of :func:`read_split`; "" where a row has none."""
    return [plain(name) for name in read_texts(file_patterns, [names.PRODUCT_NAME])[names.PRODUCT_NAME].tolist()]


def read_bare_names(file_patterns: Sequence[str], plain_names: Sequence[str]) -> list[str]:
    """The plain names of one split without the words of their rows' own labels on every level."""
    labels = read_texts(file_patterns, table.columns()).values()
    return [without_own_words(name, row) for name, *row in zip(plain_names, *labels, strict=True)]


def _records(file_patterns: Sequence[str]) -> tf.data.Dataset:
    """Batches of serialized examples, string[N]."""
    # Sorted: both models' rows must come in one order, and a file system promises none.
    files = sorted(tf.io.gfile.glob(list(file_patterns)))
    return tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_READ_BATCH)


def training_batches(rows: tf.data.Dataset, batch_size: int, seed: int) -> tf.data.Dataset:
    """Batches of the training split, in a new order each epoch."""
    return rows.shuffle(_SHUFFLE_ROWS, seed=seed, reshuffle_each_iteration=True).batch(batch_size)


def seen_by(backbone: keras.Model, batches: tf.data.Dataset) -> tf.data.Dataset:
    """Batches with what the backbone makes of their pictures, float32[N, F], in place of these."""

    def look(images: tf.Tensor, labels: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return backbone(tf.cast(images, tf.float32), training=False), labels

    return batches.map(look)


def one_hot(batches: tf.data.Dataset, classes: dict[str, int]) -> tf.data.Dataset:
    """Labels int64[N] of each head as shares float32[N, C]; one that is unknown to training, or not there, has none."""

    def spread(images: tf.Tensor, labels: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return images, {head: tf.one_hot(ids, classes[head]) for head, ids in labels.items()}

    return batches.map(spread, num_parallel_calls=tf.data.AUTOTUNE)


def path_counts(transform_output: tft.TFTransformOutput, levels: Collection[str]) -> dict[tuple[str, ...], int]:
    """Rows of each taxonomy path in the training split: its labels of these levels, from the top down."""
    wanted = [depth for depth, head in enumerate(table.taxonomy()) if head.name in levels]
    # The vocabulary file holds "count path" lines; only the path may have spaces.
    path = transform_output.vocabulary_file_by_name(preprocessing.PATH_VOCABULARY)
    counts: dict[tuple[str, ...], int] = {}
    with tf.io.gfile.GFile(path) as lines:
        for line in lines:
            count, labels = line.rstrip("\n").split(" ", 1)
            path_labels = labels.split(preprocessing.PATH_SEPARATOR)
            counts[tuple(path_labels[depth] for depth in wanted)] = int(count)
    return counts


def read_labels(
    file_patterns: Sequence[str], transform_output: tft.TFTransformOutput, heads: Sequence[str]
) -> dict[str, np.ndarray]:
    """Head → label ids int64[N] of one split, in the order of :func:`read_split`; no picture is decoded."""
    layer, raw = transform_output.transform_features_layer(), transform_output.raw_feature_spec()
    spec = {column: raw[column] for column in table.columns(map(table.head, heads))}
    labels = _records(file_patterns).map(lambda serialized: layer(tf.io.parse_example(serialized, spec)))
    batches = list(labels.as_numpy_iterator())
    return {
        head: np.concatenate([np.zeros(0, np.int64), *(batch[names.label_id(head)] for batch in batches)])
        for head in heads
    }


def class_counts(labels: Mapping[str, np.ndarray], transform_output: tft.TFTransformOutput) -> dict[str, list[int]]:
    """Head → rows of each of its classes, in the order of their ids.

    Args:
      labels: of the training split. Rows without a label of a head are in none of its classes.
      transform_output: of the Transform component.
    """
    return {
        head: np.bincount(ids[ids >= 0], minlength=len(head_labels(transform_output, head))).tolist()
        for head, ids in labels.items()
    }


def head_labels(transform_output: tft.TFTransformOutput, head: str) -> list[str]:
    """Labels of ``head`` in the order of their ids, most frequent first."""
    return [label.decode() for label in transform_output.vocabulary_by_name(head)]
