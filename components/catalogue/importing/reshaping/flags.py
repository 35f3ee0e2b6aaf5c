"""A column for each label, with a 1 in that of the row: read as the one column that they were made from."""

import functools
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from components.catalogue.importing.columns.looks import NEARLY_ALL, ROWS
from components.catalogue.importing.columns.words import BETWEEN, GENERIC, SYNONYMS, key
from components.catalogue.importing.sources.table import Record, Reshaped, Table
from components.catalogue.reading.cells import is_empty, tidy
from components.catalogue.reading.findings import Reason

_IS_SET: Final = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
_BEHIND_NAME: Final = re.compile("[_=:]")
_OF_STATES: Final = re.compile(r"(?i:is|has|in|on|no|not|with|without|can|was|for|to)(?:[_=:\s]|(?=[A-Z])|$)")
"""What begins so is a question of its own, as ``in_stock``, and no label."""
_FEWEST: Final = 3  # columns; two that exclude each other do so by chance
_KNOWN: Final = frozenset((*GENERIC, *itertools.chain(*SYNONYMS.values()), *map(key, SYNONYMS)))
_SHOWN: Final = 12


@dataclass(frozen=True)
class _Group:
    """Columns of one kind of label: their common name, "" where they have none, and column → label."""

    name: str
    labels: Mapping[str, str]

    @property
    def column(self) -> str:
        """The name of the one column."""
        first, *_, last = self.labels.values()
        return self.name or f"{first}{BETWEEN}{last}"


def with_labels(table: Table, given: Collection[str] = ()) -> Table:
    """The table; where columns of 0 and 1, but for ``given`` ones, tell one label together, with a column of that."""
    groups = _groups(table, given)
    return Flagged(table, groups) if groups else table


class Flagged(Reshaped):
    """A table in which columns of flags are columns of labels."""

    def __init__(self, table: Table, groups: Sequence[_Group]) -> None:
        firsts = {next(iter(group.labels)): group.column for group in groups}
        members = {column for group in groups for column in group.labels}
        columns = [firsts.get(old, old) for old in table.columns if old in firsts or old not in members]
        super().__init__(table, columns)
        self._groups = groups
        for group in groups:
            names = ", ".join(itertools.islice(group.labels.values(), _SHOWN))
            self.notes.note("columns of 0 and 1, read as one of labels", f"{group.column}: {names}")

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`; a row of several labels, or of none where there must be one, cannot be taken."""
        for record in self._table.records():
            cells, faults, reasons = dict(record.cells), dict(record.faults), set()
            for group in self._groups:
                flags = {label: cells.pop(column, "") for column, label in group.labels.items()}
                cells[group.column], reason, fault = _label(flags, bool(group.name))
                if fault:
                    faults[group.column] = fault
                    reasons.add(reason)
            reason = reasons.pop() if len(reasons) == 1 else record.reason
            yield replace(record, cells=cells, faults=faults, reason=record.reason if record.error else reason)


def _label(flags: Mapping[str, str], may_lack: bool) -> tuple[str, Reason, str]:
    """The label of a row; or a reason and what is wrong."""
    plain = {label: text for label, text in flags.items() if not is_empty(text)}
    if odd := [label for label, text in plain.items() if _flag(text) is None]:
        return "", Reason.UNREADABLE_ROW, f"{plain[odd[0]][:40]!r} in the column of {odd[0]}, neither 0 nor 1"
    found = [label for label, text in plain.items() if _flag(text)]
    if len(found) == 1:
        return found[0], Reason.UNREADABLE_ROW, ""
    if found:
        return "", Reason.SEVERAL_LABELS, f"1 for several: {', '.join(found)}"
    if may_lack:
        return "", Reason.EMPTY_LABEL, ""
    more = f", … {len(flags) - _SHOWN} more" if len(flags) > _SHOWN else ""
    return "", Reason.EMPTY_LABEL, f"1 for none of {', '.join(itertools.islice(flags, _SHOWN))}{more}"


@functools.lru_cache(4096)
def _flag(text: str) -> bool | None:
    return _IS_SET.get(tidy(text).casefold())


def _groups(table: Table, given: Collection[str]) -> list[_Group]:
    """The groups of columns of which nearly each of the first rows has exactly one."""
    flags, rows = _flags(table, given)
    found: list[_Group] = []
    for name, columns in _by_beginning(flags):
        free = [one for one in columns if not any(one in group.labels for group in found)]
        fewest = 2 if key(name) in _KNOWN else _FEWEST
        if len(free) >= fewest and name not in table.columns and _are_one(free, rows):
            found.append(_Group(name, {one: tidy(one[len(name) + 1 :]) for one in free}))
    rest = [one for one in flags if not (_OF_STATES.match(one) or key(one) in _KNOWN)]
    rest = [one for one in rest if not any(one in group.labels for group in found)]
    if len(rest) >= _FEWEST and _are_one(rest, rows):
        found.append(_Group("", {one: one for one in rest}))
    return found


def _flags(table: Table, given: Collection[str]) -> tuple[list[str], list[set[str]]]:
    """Columns that hold 0 and 1 alone, and which of them are 1, of each of the first rows."""
    filled: set[str] = set()
    candidates, rows = [one for one in table.columns if one not in given], []
    for record in itertools.islice(table.records(), ROWS):
        if record.error or not candidates:
            continue
        told = {one: text for one in candidates if not is_empty(text := record.cells.get(one, ""))}
        values = {one: _flag(text) for one, text in told.items()}
        candidates = [one for one in candidates if values.get(one, False) is not None]
        filled |= told.keys()
        rows.append({one for one, value in values.items() if value})
    return [one for one in candidates if one in filled], rows


def _by_beginning(flags: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Each beginning before a sign with the columns that have it: the largest first, then names of labels."""
    found: dict[str, list[str]] = {}
    for column in flags:
        for sign in _BEHIND_NAME.finditer(column):
            if tidy(column[: sign.start()]) and tidy(column[sign.end() :]):
                found.setdefault(column[: sign.start()], []).append(column)
    return sorted(
        ((name, columns) for name, columns in found.items() if not _OF_STATES.match(name)),
        key=lambda one: (-len(one[1]), key(one[0]) not in _KNOWN, -len(one[0])),
    )


def _are_one(columns: Sequence[str], rows: Sequence[set[str]]) -> bool:
    """Whether nearly each row has exactly one of them, and not all the same."""
    own = [row.intersection(columns) for row in rows]
    single = [one for one in own if len(one) == 1]
    return len(single) >= NEARLY_ALL * len(rows) and len(set.union(set(), *single)) > 1
