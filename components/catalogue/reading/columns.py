"""The header of a sheet: which column is which, whatever letters and spaces its name is written with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.sheet import Record, Sheet, open_sheet
from schema import heads as table
from schema import names

_NEEDED: Final = (names.ID, names.ARTICLE_TYPE_LABEL)


@dataclass(frozen=True)
class Columns:
    """The columns of a sheet by their names here; "" for one without a name, which is not read."""

    header: list[str]

    @property
    def ignored(self) -> list[str]:
        """Columns with a name that mean nothing here."""
        return [column for column in self.header if column and column not in known_columns()]

    @property
    def named(self) -> int:
        """How many there are up to the last one with a name."""
        return max((index for index, column in enumerate(self.header, 1) if column), default=0)


def open_columns(content: bytes, changes: Changes) -> tuple[Sheet, Columns, Iterator[Record]]:
    """The sheet of a ``styles.csv``, its columns, and its rows to come.

    Raises:
        CatalogueError: it is empty, in no known encoding, holds NUL bytes, or misses a column that must be there.
    """
    sheet = _from_header(open_sheet(content, changes), changes)
    records = sheet.records()
    return sheet, read_columns(next(records, Record(1, [])).fields, changes), records


def known_columns() -> tuple[str, ...]:
    """Every column of ``styles.csv`` that means something here."""
    return (names.ID, *kept_columns(), names.SPLIT_COLUMN)


def kept_columns() -> tuple[str, ...]:
    """Those of them that become features: labels, attributes, year and name."""
    # A head may be of a column that has a use of its own.
    return tuple(dict.fromkeys((*table.columns(table.HEADS), names.YEAR, names.PRODUCT_NAME)))


def read_columns(fields: Sequence[str], changes: Changes) -> Columns:
    """The columns that a header names.

    Raises:
        CatalogueError: one that must be there is missing, or one is named twice.
    """
    written = [tidy(field) for field in fields]
    meant = {_key(column): column for column in known_columns()}
    header = [name if name in known_columns() else meant.get(_key(name), name) for name in written]
    for name, column in zip(written, header, strict=True):
        if name != column:
            changes.note("column under another name", f"{name!r} is read as {column}")
    _require(header, written)
    return Columns(header)


def names_all(fields: Sequence[str]) -> bool:
    """Whether a row names every column that must be there."""
    return {_key(column) for column in _NEEDED} <= set(map(_written_key, fields))


def _from_header(sheet: Sheet, changes: Changes) -> Sheet:
    """The sheet from the line that names the columns; titles and rows of separators may stand above it."""
    if names_all(next(sheet.records()).fields):
        return sheet
    for one in sheet.beginnings():
        if names_all(next(one.records()).fields):
            changes.note("lines above the header, passed over", f"the header stands in line {one.first + 1}")
            return one
    return sheet


@lru_cache(4096)  # asked of every cell, and most labels come again
def _written_key(field: str) -> str:
    return _key(tidy(field))


def _key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _require(header: list[str], written: list[str]) -> None:
    missing = [column for column in _NEEDED if column not in header]
    if missing:
        hint = "; separate the columns by commas, semicolons or tabs" if len(header) == 1 else ""
        raise CatalogueError(
            f"{names.STYLES_CSV} misses the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            f"its header names {', '.join(header)}{hint}"
        )
    twice = [column for column in known_columns() if header.count(column) > 1]
    if twice:
        as_written = [name for name, column in zip(written, header, strict=True) if column in twice]
        raise CatalogueError(
            f"{names.STYLES_CSV} names a column twice: {', '.join(map(repr, as_written))}; leave the right one"
        )
