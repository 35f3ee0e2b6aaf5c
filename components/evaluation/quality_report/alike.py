"""What the nearest known products of test pictures are worth: of the right type, and namesakes where there are any."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import tensorflow as tf

from components.evaluation.quality_report.predictions import read_records
from schema import names

Row: TypeAlias = tuple[str, str, Sequence[str], Sequence[str]]
"""Article type and name of a picture, and those of the known products nearest to it, nearest first."""

LOOKED_AT = 12
"""The nearest that count as found: as many as ``/v1/similar`` lists unless asked otherwise."""


def judge_neighbours(saved_model: Path, files: Sequence[str], known_names: Collection[str]) -> pd.DataFrame:
    """Precision and recall of the index in a model, on the pictures of a split that it does not know.

    Args:
        saved_model: with the signature ``neighbours``.
        files: gzipped TFRecords of the split.
        known_names: names of the products that the model knows.

    Returns:
        ``measure, value, pictures``; see :func:`measures`.
    """
    # Kept by name: a signature alone does not keep its model's variables alive.
    model = tf.saved_model.load(str(saved_model))
    rows: list[Row] = []
    for cells, images in read_records(files, [names.ARTICLE_TYPE_LABEL]):
        found = model.signatures[names.NEIGHBOURS](image_bytes=images)
        labels, texts = (_texts(found[key]) for key in (names.NEIGHBOUR_LABELS, names.NEIGHBOUR_NAMES))
        rows += zip(cells[names.ARTICLE_TYPE_LABEL], cells[names.PRODUCT_NAME], labels, texts, strict=True)
    return measures(rows, known_names)


def measures(rows: Sequence[Row], known_names: Collection[str]) -> pd.DataFrame:
    """The same of rows.

    ``precision@12``: share of the twelve nearest that have the picture's article type, the mean over pictures; the same
    as a mean over types, which rare ones weigh in as much as common ones; ``recall@1``: share of the pictures with a
    namesake among the known products whose nearest is one.
    """
    kinds = pd.DataFrame(
        {"type": kind, "share": float(np.mean([one == kind for one in nearest[:LOOKED_AT]]))}
        for kind, _, nearest, _ in rows
    )
    pairs = [texts[0] == name for _, name, _, texts in rows if name and name in known_names]
    by_type = kinds.groupby("type")["share"].mean() if len(kinds) else pd.Series(dtype=float)
    table = [
        (f"precision@{LOOKED_AT} by article type", kinds["share"].mean() if len(kinds) else np.nan, len(kinds)),
        (f"precision@{LOOKED_AT}, mean over types", by_type.mean(), len(kinds)),
        ("recall@1 of same-name pairs", np.mean(pairs) if pairs else np.nan, len(pairs)),
    ]
    return pd.DataFrame(
        [(name, float(value), count) for name, value, count in table], columns=["measure", "value", "pictures"]
    )


def _texts(tensor: tf.Tensor) -> list[list[str]]:
    return [[text.decode() for text in row] for row in tensor.numpy()]
