"""Which split a row goes to: what its ``split`` column says, else 80/10/10 by its group, by itself, or by its year."""

import hashlib
from collections.abc import Sequence
from enum import Enum
from typing import Final

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


def split_rows(rows: Sequence[Row], groups: Sequence[str], by: SplitBy = SplitBy.GROUP) -> list[str]:
    """The split of each row. By group or row it does not depend on what else the catalogue holds."""
    if by is SplitBy.YEAR:
        decided = _newest_last(rows)
    else:
        keys = groups if by is SplitBy.GROUP else [row.id for row in rows]
        decided = [split_of_hash(key) for key in keys]
    return [row.split or split for row, split in zip(rows, decided, strict=True)]


def split_of_hash(key: str) -> str:
    """80 % of keys are for training, 10 % for evaluation, 10 % for the test."""
    return _split_at(stable_hash(key) % 100)


def stable_hash(text: str) -> int:
    """A number that is the same in every process, unlike ``hash``."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def straddling_groups(splits: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Groups whose rows are in more than one split, as a ``split`` column may have it."""
    first: dict[str, str] = {}
    return sorted(
        {group for split, group in zip(splits, groups, strict=True) if first.setdefault(group, split) != split}
    )


def _split_at(percent: float) -> str:
    if percent < TRAIN_PERCENT:
        return names.TRAIN
    return names.EVAL if percent < TRAIN_PERCENT + EVAL_PERCENT else names.TEST


def _newest_last(rows: Sequence[Row]) -> list[str]:
    """Rows without a year count as the oldest; within a year the hash of the id decides."""
    age = [(int(row.cells.get(names.YEAR, 0)), stable_hash(row.id)) for row in rows]
    splits = [""] * len(rows)
    for rank, index in enumerate(sorted(range(len(rows)), key=age.__getitem__)):
        splits[index] = _split_at(100 * rank / len(rows))
    return splits
