"""What both candidates say about a split: one pass over the pictures, through the signatures that will serve."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from components.evaluation.familiarity import Familiar, of_drawn_pictures
from schema import model_card, names
from schema.model_card import ModelCard

_BATCH = 64
_DETAILS = (names.ID, names.GROUP, names.PRODUCT_NAME, names.YEAR)


@dataclass(frozen=True)
class SplitPredictions:
    """Rows of a split with both models' scores.

    Attributes:
      rows: a row a picture: the columns of the catalogue that the report shows.
      labels: head → its labels, in the order of the scores.
      scores: head → float32[N, C], calibrated.
      truths: head → int[N]; :data:`schema.names.UNKNOWN_LABEL`, and :data:`schema.names.UNLABELLED`, as in training.
      cards: model → its card.
      familiarity: float32[N]; None where the models do not tell it.
      drawn: kind of drawn picture of no product → familiarity, float32[M]; empty where the models do not tell it.
    """

    rows: pd.DataFrame
    labels: dict[str, list[str]]
    scores: dict[str, np.ndarray]
    truths: dict[str, np.ndarray]
    cards: dict[str, ModelCard]
    familiarity: np.ndarray | None = None
    drawn: Mapping[str, np.ndarray] = field(default_factory=dict)

    def true_labels(self, head: str) -> np.ndarray:
        """str[N], the true labels; empty where a row has none."""
        (column,) = (card.heads[head].column for card in self.cards.values() if head in card.heads)
        return np.array(_texts(self.rows[column]), str)

    def labelled(self, head: str) -> np.ndarray:
        """bool[N], whether a row has a label of ``head``."""
        return self.truths[head] != names.UNLABELLED

    def best(self, head: str) -> np.ndarray:
        """int[N], the position of each row's best label."""
        return self.scores[head].argmax(axis=1)


def predict_split(models: Mapping[str, Path], files: Sequence[str]) -> SplitPredictions:
    """Asks both models about every picture of the split.

    Args:
      models: model name → its SavedModel.
      files: gzipped TFRecords of the split.
    """
    cards = {name: model_card.read_file(path) for name, path in models.items()}
    heads = {head: one for card in cards.values() for head, one in card.heads.items()}
    labels = {head: list(one.labels) for head, one in heads.items()}
    columns = {head: one.column for head, one in heads.items()}
    # Kept whole: signatures alone do not keep their variables alive.
    loaded = {name: tf.saved_model.load(str(path)) for name, path in models.items()}
    tables, scores = [], {head: [np.zeros((0, len(known)), np.float32)] for head, known in labels.items()}
    tells = cards[names.ARTICLE_TYPE].familiarity is not None
    familiarity = [np.zeros(0, np.float32)]
    for cells, images in read_records(files, columns.values()):
        tables.append(pd.DataFrame(cells))
        for model in loaded.values():
            answer = model.signatures[names.SCORES](image_bytes=images)
            for head in scores.keys() & answer.keys():
                scores[head].append(answer[head].numpy())
            if names.FAMILIARITY in answer:
                familiarity.append(answer[names.FAMILIARITY].numpy())
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*_DETAILS, *columns.values()])
    return SplitPredictions(
        rows=rows,
        labels=labels,
        scores={head: np.concatenate(parts) for head, parts in scores.items()},
        truths={head: _positions(_texts(rows[column]), labels[head]) for head, column in columns.items()},
        cards=cards,
        familiarity=np.concatenate(familiarity) if tells else None,
        drawn=of_drawn_pictures(_familiar(loaded[names.ARTICLE_TYPE])) if tells else {},
    )


def _familiar(model: Any) -> Familiar:
    return lambda images: model.signatures[names.SCORES](image_bytes=tf.constant(images))[names.FAMILIARITY].numpy()


def pictures_at(files: Sequence[str], positions: Iterable[int]) -> dict[int, bytes]:
    """Encoded pictures of the rows at these positions of a split, in the order of :func:`read_records`."""
    wanted = set(positions)
    pictures, start = {}, 0
    for _, images in read_records(files):
        for position in wanted.intersection(range(start, start + len(images))):
            pictures[position] = images[position - start].numpy()
        start += len(images)
    return pictures


def texts_of(files: Sequence[str], column: str) -> set[str]:
    """What a split has in a column of text, such as its groups."""
    spec = {column: tf.io.FixedLenFeature([], tf.string, "")}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP").batch(_BATCH)
    batches = records.map(lambda serialized: tf.io.parse_example(serialized, spec)[column])
    return {text.decode() for batch in batches.as_numpy_iterator() for text in batch}


def read_records(
    files: Sequence[str], labels: Collection[str] = ()
) -> Iterator[tuple[dict[str, list[Any]], tf.Tensor]]:
    """Batches of a split: the columns as lists of text, those of ``labels`` among them, and the pictures string[N]."""
    columns = dict.fromkeys((*_DETAILS, *labels))
    spec = {name: tf.io.FixedLenFeature([], tf.string, "") for name in (*columns, names.IMAGE)}
    spec[names.YEAR] = tf.io.FixedLenFeature([], tf.int64, 0)
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP").batch(_BATCH)
    for batch in records.map(lambda serialized: tf.io.parse_example(serialized, spec)).prefetch(2):
        yield {name: _plain(batch[name]) for name in columns}, batch[names.IMAGE]


def _plain(values: tf.Tensor) -> list[Any]:
    return [value.decode() if isinstance(value, bytes) else int(value) for value in values.numpy()]


def _texts(cells: pd.Series) -> list[str]:
    # An empty cell of a column of numbers was read as 0.
    return [str(cell) if cell else "" for cell in cells]


def _positions(truths: Iterable[str], labels: Sequence[str]) -> np.ndarray:
    known = {**{label: i for i, label in enumerate(labels)}, "": names.UNLABELLED}
    return np.array([known.get(label, names.UNKNOWN_LABEL) for label in truths], np.int64)
