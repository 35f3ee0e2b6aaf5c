"""The ``split`` column of a catalogue names all three splits, where others often have two."""

from collections import Counter

from components.catalogue.importing.wanted import Rejected, Rows
from components.catalogue.reading.findings import Finding, Reason
from components.catalogue.splitting.splits import EVAL_PERCENT, stable_hash
from schema import names


def complete_splits(rows: Rows) -> None:
    """Sees to it that each row is of a split, and each split has rows; or that none is told at all.

    A split that the source has not is a tenth of its training split, by the hash of the ids. Rows without a split are
    rejected where others have one. One split alone tells nothing, so it is left out.
    """
    told = Counter(row.cells.get(names.SPLIT_COLUMN, "") for row in rows.wanted)
    if set(told) == {""}:
        return
    _reject_unsplit(rows)
    missing = [split for split in names.SPLITS if not told[split]]
    if len(missing) == 2 or names.TRAIN in missing:
        for row in rows.wanted:
            row.cells.pop(names.SPLIT_COLUMN)
        rows.changes.note("splits that are not used", f"there are only rows of {', '.join(filter(None, told))}")
        return
    for split in missing:
        _carve(rows, split)


def _reject_unsplit(rows: Rows) -> None:
    for row in rows.wanted:
        if names.SPLIT_COLUMN not in row.cells:
            detail = f"none, where other rows have one of {', '.join(names.SPLITS)}"
            rows.rejected.append(Rejected(row.place, Finding(row.id, row.line, Reason.UNKNOWN_SPLIT, detail)))
    rows.wanted = [row for row in rows.wanted if names.SPLIT_COLUMN in row.cells]


def _carve(rows: Rows, split: str) -> None:
    for row in rows.wanted:
        if row.cells[names.SPLIT_COLUMN] == names.TRAIN and stable_hash(row.id) % 100 < EVAL_PERCENT:
            row.cells[names.SPLIT_COLUMN] = split
            rows.changes.note(f"row of {names.TRAIN} that is of {split}, which the source lacks", f"id {row.id!r}")
