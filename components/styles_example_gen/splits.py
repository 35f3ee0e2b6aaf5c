"""Which split a row goes to: what its ``split`` column says, else 80/10/10 by a hash of its group."""

import hashlib
from collections.abc import Sequence
from typing import Final

from components.styles_example_gen.rows import Row
from schema import names

TRAIN_PERCENT: Final = 80
EVAL_PERCENT: Final = 10


def split_of(row: Row, group: str) -> str:
    """The split of a row. By hash, rows of one group share it, whatever else the catalogue holds."""
    return row.split or split_of_group(group)


def split_of_group(group: str) -> str:
    """80 % of groups are for training, 10 % for evaluation, 10 % for the test."""
    percent = stable_hash(group) % 100
    if percent < TRAIN_PERCENT:
        return names.TRAIN
    return names.EVAL if percent < TRAIN_PERCENT + EVAL_PERCENT else names.TEST


def stable_hash(text: str) -> int:
    """A number that is the same in every process, unlike ``hash``."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def straddling_groups(splits: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Groups whose rows are in more than one split, as a ``split`` column may have it."""
    first: dict[str, str] = {}
    return sorted(
        {group for split, group in zip(splits, groups, strict=True) if first.setdefault(group, split) != split}
    )
