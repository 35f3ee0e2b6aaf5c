"""Which split a row goes to: what its ``split`` column says, else 80/10/10 by its group, by itself, or by its year."""

import hashlib
from collections.abc import Sequence
from enum import Enum
from typing import Final

import numpy as np

from components.catalogue.reading.rows import Row
from schema import names

TRAIN_PERCENT: Final = 80
EVAL_PERCENT: Final = 10


class SplitBy(str, Enum):
    """What rows have in common that share a split, where the catalogue has no ``split`` column.

    ``GROUP``: products of one name, or of (nearly) the same pixels: how well new products are told. ``ROW``: nothing,
    so that test rows may have a twin in training: how well another picture of the same range is told. ``YEAR``: the
    newest tenth is the test, the tenth before it is for evaluation: how well next season is told.
    """

    GROUP = "group"
    ROW = "row"
    YEAR = "year"


Cuts = tuple[tuple[int, int], tuple[int, int]]
"""The (year, hash of the id) of the first row of eval, and of the test."""


def split_of(row: Row, group: str, by: SplitBy, cuts: Cuts | None = None) -> str:
    """The split of a row without a word of its own. By group or row it does not depend on what else there is.

    ``cuts`` of :func:`cuts_of` say where the years are cut.
    """
    if by is not SplitBy.YEAR:
        return split_of_hash(group if by is SplitBy.GROUP else row.id)
    if cuts is None:
        raise ValueError("rows are split by year only where the years of all of them are known")
    older = sum(_age(row) < cut for cut in cuts)
    return (names.TEST, names.EVAL, names.TRAIN)[older]


def ages_of(rows: Sequence[Row]) -> np.ndarray:
    """uint64[N, 2]: year and hash of the id. Rows without a year count as the oldest."""
    return np.array([_age(row) for row in rows], np.uint64).reshape(-1, 2)


def cuts_of(ages: np.ndarray) -> Cuts:
    """Where the newest tenth of ages uint64[N, 2], N ≥ 1, begins, and the tenth before it.

    Within a year the hash of the id decides.
    """
    ages = ages[np.lexsort((ages[:, 1], ages[:, 0]))]
    ranks = (-(-len(ages) * percent // 100) for percent in (TRAIN_PERCENT, TRAIN_PERCENT + EVAL_PERCENT))
    eval_from, test_from = ((int(year), int(key)) for year, key in (_at(ages, rank) for rank in ranks))
    return eval_from, test_from


def split_of_hash(key: str) -> str:
    """80 % of keys are for training, 10 % for evaluation, 10 % for the test."""
    percent = stable_hash(key) % 100
    if percent < TRAIN_PERCENT:
        return names.TRAIN
    return names.EVAL if percent < TRAIN_PERCENT + EVAL_PERCENT else names.TEST


def stable_hash(text: str) -> int:
    """A number that is the same in every process, unlike ``hash``."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _age(row: Row) -> tuple[int, int]:
    return int(row.cells.get(names.YEAR, 0)), stable_hash(row.id)


def _at(ages: np.ndarray, rank: int) -> tuple[int, int]:
    """The age at a rank; one that no row has, where there are too few."""
    return tuple(ages[rank]) if rank < len(ages) else (2**63, 0)
