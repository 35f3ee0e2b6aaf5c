"""From checked rows to groups and splits: the steps of it, and all of them at once for who has every row in memory."""

import heapq
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from components.catalogue.reading.findings import Finding
from components.catalogue.reading.pictures import CheckedRows
from components.catalogue.reading.rows import ROWS_AT_ONCE, Row, Rows, RowStream
from components.catalogue.splitting.groups import Kin, Links, kin_of, name_keys, name_links
from components.catalogue.splitting.near import near_links
from components.catalogue.splitting.signatures import sign
from components.catalogue.splitting.splits import Cuts, SplitBy, ages_of, cuts_of, split_of, stable_hash
from schema import names

ROWS_PER_SHARD: Final = 2500


@dataclass(frozen=True)
class Placed:
    """A row with its kin and its split."""

    row: Row
    kin: Kin
    split: str

    @property
    def group(self) -> str:
        """The smallest id of its group."""
        return self.kin.group


@dataclass(frozen=True)
class Plan:
    """What is done with some or all rows.

    Attributes:
        placed: the rows that are taken.
        rejected: the rows that are not.
        repaired: what was mended in those that are.
        blank: ids of pictures that show next to nothing.
    """

    placed: tuple[Placed, ...]
    rejected: tuple[Finding, ...]
    repaired: tuple[Finding, ...]
    blank: tuple[str, ...]
    split_by: SplitBy

    def rows_by_split(self) -> dict[str, list[Row]]:
        """Split → its rows."""
        return {split: [one.row for one in self.placed if one.split == split] for split in names.SPLITS}


def limited(rows: Rows, limit: int) -> Rows:
    """``limit`` rows, good and bad, picked by the hash of their id; all of them if ``limit`` is 0."""
    if not limit:
        return rows
    return only(rows, _picked([rows], limit))


def lines_within(stream: RowStream, limit: int) -> set[int]:
    """The lines of the rows that :func:`limited` would take; it reads the stream to its end."""
    return _picked(stream.chunks(ROWS_AT_ONCE), limit)


def chunks_of(stream: RowStream, lines: Container[int] | None, ids: set[str]) -> Iterator[Rows]:
    """The rows of a stream, all or those of some lines; the ids of all of them are added to ``ids``."""
    for rows in stream.chunks(ROWS_AT_ONCE):
        ids.update(row.id for row in rows.everything)
        yield rows if lines is None else only(rows, lines)


def only(rows: Rows, lines: Container[int]) -> Rows:
    """The rows of these lines."""
    return Rows(
        [row for row in rows.taken if row.line in lines],
        [finding for finding in rows.rejected if finding.line in lines],
        [finding for finding in rows.repaired if finding.line in lines],
        rows.ignored_columns,
        rows.changes,
    )


def _picked(chunks: Iterable[Rows], limit: int) -> set[int]:
    keys = ((stable_hash(row.id), row.line) for rows in chunks for row in rows.everything)
    return {line for _, line in heapq.nsmallest(limit, keys)}


def place(checked: CheckedRows, kin: Mapping[str, Kin], split_by: SplitBy, cuts: Cuts | None) -> Plan:
    """Decides the split of rows whose kin is known.

    Args:
        checked: the rows.
        kin: id → kin; rows that are not in it are alone.
        split_by: what rows share that share a split.
        cuts: where the years are cut, if they are to be split by year.
    """
    of_rows = ((row, kin.get(row.id) or Kin(row.id)) for row in checked.taken)
    placed = [Placed(row, own, row.split or split_of(row, own.group, split_by, cuts)) for row, own in of_rows]
    lines = {row.line for row in checked.taken}
    return Plan(
        tuple(sorted(placed, key=in_order)),
        _by_line(checked.rejected),
        _by_line(finding for finding in checked.repaired if finding.line in lines),
        tuple(sorted(checked.blank)),
        split_by,
    )


def in_order(one: Placed) -> tuple[int, str]:
    """By this, an order of rows says nothing about their labels or their place in the file."""
    return stable_hash(one.row.id), one.row.id


def shard_of(row: Row, count: int) -> int:
    """Which of the ``count`` files of its split a row goes to."""
    return stable_hash(row.id) % count


def make_plan(checked: Iterable[CheckedRows], split_by: SplitBy = SplitBy.GROUP) -> Plan:
    """Decides groups and splits of all rows at once. Neither depends on the order of rows."""
    everything = _merged(checked)
    return place(everything, _kin(everything), split_by, _cuts(everything, split_by))


def _cuts(checked: CheckedRows, split_by: SplitBy) -> Cuts | None:
    return cuts_of(ages_of(checked.taken)) if split_by is SplitBy.YEAR and checked.taken else None


def _kin(checked: CheckedRows) -> dict[str, Kin]:
    if not checked.taken:
        return {}
    members = [(0, row.id) for row in checked.taken]
    near = near_links(sign(members, checked.thumbnails), checked.thumbnails.__getitem__)
    keys = name_keys(members, [row.cells.get(names.PRODUCT_NAME, "") for row in checked.taken])
    return kin_of([Links.among(members, near, by_pixels=True), name_links(keys)]).get(0, {})


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
