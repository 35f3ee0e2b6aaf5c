"""From checked rows to what is written where: groups, splits, shards, and the report."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from components.catalogue.reading.findings import Finding
from components.catalogue.reading.pictures import CheckedRows
from components.catalogue.reading.rows import Row, Rows
from components.catalogue.splitting.groups import group_rows, near_duplicates
from components.catalogue.splitting.splits import SplitBy, split_rows, stable_hash
from schema import names

ROWS_PER_SHARD: Final = 2500


@dataclass(frozen=True)
class Placed:
    """A row with its group and split."""

    row: Row
    group: str
    split: str


@dataclass(frozen=True)
class Shard:
    """The rows of one file of a split."""

    split: str
    index: int
    count: int
    rows: tuple[Placed, ...]


@dataclass(frozen=True)
class Plan:
    """What the import does with every row.

    Attributes:
        split_by: what decided the splits, but for a ``split`` column.
        placed: the rows that are taken, in an order that says nothing about their labels or their place in the file.
        rejected: the rows that are not, by line.
        repaired: what was mended, by line.
        near_duplicates: sets of ids that (nearly) equal pixels connect.
        blank: ids of pictures that show next to nothing.
    """

    split_by: SplitBy
    placed: tuple[Placed, ...]
    rejected: tuple[Finding, ...]
    repaired: tuple[Finding, ...]
    near_duplicates: tuple[tuple[str, ...], ...]
    blank: tuple[str, ...]

    def rows_by_split(self) -> dict[str, list[Row]]:
        """Split → its rows."""
        return {split: [one.row for one in self.placed if one.split == split] for split in names.SPLITS}

    def shards(self) -> list[Shard]:
        """The files to write; a split without rows has none."""
        return [
            shard for split in names.SPLITS for shard in _shards(split, [p for p in self.placed if p.split == split])
        ]


def limited(rows: Rows, limit: int) -> Rows:
    """``limit`` rows, good and bad, picked by the hash of their id; all of them if ``limit`` is 0."""
    if not limit:
        return rows
    everything: list[Row | Finding] = [*rows.taken, *rows.rejected]
    picked = {row.line for row in sorted(everything, key=lambda row: (stable_hash(row.id), row.line))[:limit]}
    return Rows(
        [row for row in rows.taken if row.line in picked],
        [finding for finding in rows.rejected if finding.line in picked],
        [finding for finding in rows.repaired if finding.line in picked],
        rows.ignored_columns,
        rows.changes,
    )


def make_plan(checked: Iterable[CheckedRows], split_by: SplitBy = SplitBy.GROUP) -> Plan:
    """Decides groups and splits of the rows whose pictures were found good. Neither depends on the order of rows."""
    everything = _merged(checked)
    taken, thumbnails = everything.taken, everything.thumbnails
    lines = {row.line for row in taken}
    alike = near_duplicates(thumbnails)
    groups = group_rows([row.id for row in taken], [row.cells.get(names.PRODUCT_NAME, "") for row in taken], alike)
    repaired = _by_line(finding for finding in everything.repaired if finding.line in lines)
    splits = split_rows(taken, groups, split_by)
    placed = [Placed(row, group, split) for row, group, split in zip(taken, groups, splits, strict=True)]
    return Plan(
        split_by,
        tuple(sorted(placed, key=lambda one: (stable_hash(one.row.id), one.row.id))),
        _by_line(everything.rejected),
        repaired,
        tuple(sorted(tuple(sorted(taken[index].id for index in members)) for members in alike)),
        tuple(sorted(everything.blank)),
    )


def _merged(parts: Iterable[CheckedRows]) -> CheckedRows:
    """All parts as one; the thumbnails, by far the most of it, are never held twice."""
    merged, pixels = CheckedRows(), bytearray()
    for part in parts:
        merged.taken += part.taken
        merged.rejected += part.rejected
        merged.repaired += part.repaired
        merged.blank += part.blank
        pixels += part.thumbnails.tobytes()
    merged.thumbnails = np.frombuffer(pixels, np.uint8).reshape(-1, *merged.thumbnails.shape[1:])
    return merged


def _by_line(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.line))


def _shards(split: str, placed: Sequence[Placed]) -> list[Shard]:
    count = math.ceil(len(placed) / ROWS_PER_SHARD)
    return [Shard(split, index, count, tuple(placed[index::count])) for index in range(count)]
