"""The header of a sheet: which column is which, whatever letters and spaces its name is written with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
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
    named = {_key(tidy(field)) for field in fields}
    return named >= {_key(column) for column in _NEEDED}


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
