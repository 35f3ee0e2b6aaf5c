"""A table of texts, whatever it came from; and which row of a sheet is its header."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason

MAX_COLUMNS: Final = 2000
HEADER_AMONG: Final = 20  # rows; what stands above the header is a title
_SENTENCE: Final = 4  # words


@dataclass(frozen=True)
class Record:
    """One row.

    Attributes:
        place: of the row, for a person: ``products.csv:12``.
        line: counted from 1.
        cells: column → text.
        split: that the file or folder of the row stands for; empty if for none.
        error: why it cannot be taken; empty if it can.
        reason: the kind of that error, or of its faults.
        embedded: column → bytes of a picture that the sheet itself holds.
        faults: column → why its cell cannot be read; the row cannot be taken if that column is of use.
        folder: that the path of its picture may be relative to; empty for that of the table.
        parent: place of the row whose label it has; empty if that is its own.
    """

    place: str
    line: int
    cells: Mapping[str, str]
    split: str = ""
    error: str = ""
    reason: Reason = Reason.UNREADABLE_ROW
    embedded: Mapping[str, bytes] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    parent: str = ""


class Table(ABC):
    """Rows with named columns, to be gone through more than once.

    Attributes:
        name: of the sheet or folder.
        folder: that paths of pictures may be relative to; empty for the top.
        columns: their names, each once.
        notes: what was read otherwise than it is written.
    """

    def __init__(self, name: str, columns: Sequence[str], notes: Changes | None = None) -> None:
        self.name = name
        self.folder = name.rpartition("/")[0]
        self.columns = list(columns)
        self.notes = notes or Changes()

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Every row, in order; the same ones each time."""

    @property
    def embedded_columns(self) -> list[str]:
        """Columns that hold the bytes of pictures."""
        return []


class Listed(Table):
    """A table that is held in memory."""

    def __init__(self, name: str, columns: Sequence[str], records: Sequence[Record], notes: Changes | None = None):
        super().__init__(name, columns, notes)
        self._records = records

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        return iter(self._records)


class Reshaped(Table):
    """A table whose rows are those of another one, read in another way."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        """Keeps the table that is read so; the names of its columns may be others."""
        super().__init__(table.name, columns, table.notes)
        self.folder = table.folder
        self._table = table

    @property
    def embedded_columns(self) -> list[str]:
        """See :meth:`Table.embedded_columns`."""
        return self._table.embedded_columns


class Joined(Table):
    """Tables below each other, as a set in several files has them."""

    def __init__(self, tables: Sequence[tuple[Table, str]]) -> None:
        """Joins tables.

        Args:
            tables: each with the split that it stands for; empty for none.
        """
        names = [table.name for table, _ in tables]
        columns = dict.fromkeys(itertools.chain.from_iterable(table.columns for table, _ in tables))
        super().__init__(", ".join(names), list(columns))
        self.folder = ""  # each has its own
        self._tables = tables
        for table, _ in tables:
            self.notes.add(table.notes)

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        for table, split in self._tables:
            for one in table.records():
                yield replace(one, split=one.split or split, folder=table.folder)

    @property
    def embedded_columns(self) -> list[str]:
        """See :meth:`Table.embedded_columns`."""
        return list(dict.fromkeys(itertools.chain(*(table.embedded_columns for table, _ in self._tables))))


@dataclass(frozen=True)
class Header:
    """The header of a sheet: which of its rows it is, and the name of each field; "" for one without."""

    row: int
    columns: list[str]

    def cells(self, fields: Sequence[str]) -> dict[str, str]:
        """Column → text of a row."""
        return {column: text for column, text in zip(self.columns, fields, strict=False) if column}


def note_unread(header: Header, rows: Iterable[tuple[str, Sequence[str]]], notes: Changes) -> None:
    """Notes what stands in columns without a name.

    Args:
        header: of the sheet.
        rows: those below it, each with its place.
        notes: of what is not read.
    """
    for place, fields in rows:
        pairs = itertools.zip_longest(header.columns, fields, fillvalue="")
        if texts := [text for column, text in pairs if not column and tidy(text)]:
            notes.note("cell of a column without a name, not read", f"{place}: {texts}")


def find_header(rows: Iterable[Sequence[str]], name: str, notes: Changes) -> Header:
    """The first row that is about as wide as those that follow it, and no remark on its columns.

    Args:
        rows: the first ones of the sheet, or all.
        name: of the sheet, for errors.
        notes: of titles above it, and of names that stand there twice.

    Raises:
        CatalogueError: there is no text, or there are too many columns.
    """
    first = list(itertools.islice(rows, HEADER_AMONG))
    widths = [sum(bool(tidy(cell)) for cell in row) for row in first]
    if not any(widths):
        raise CatalogueError(f"{name} is empty")
    wide = [index for index, width in enumerate(widths) if 2 * width > max(widths)]
    row = next((index for index in wide if not _is_remark(first[index])), wide[0])
    if len(first[row]) > MAX_COLUMNS:
        raise CatalogueError(f"{name} has {len(first[row]):,} columns; at most {MAX_COLUMNS:,} are read")
    for above, width in zip(first[:row], widths, strict=False):
        if width:
            notes.note("row above the header, passed over", " ".join(filter(None, map(tidy, above)))[:80])
    return Header(row, once_each([tidy(cell) for cell in first[row]], notes))


def _is_remark(row: Sequence[str]) -> bool:
    """Whether a row tells in sentences what its columns are for, as a market place's template: ``# Required | …``."""
    cells = [cell for cell in map(tidy, row) if cell]
    return all(cell.startswith("#") for cell in cells) and any(len(cell.split()) >= _SENTENCE for cell in cells)


def once_each(columns: Sequence[str], notes: Changes) -> list[str]:
    """Names of columns, of which those that come again get a number."""
    seen: dict[str, int] = {}
    result = []
    for column in columns:
        seen[column] = seen.get(column, 0) + 1
        if column and seen[column] > 1:
            notes.note("column of a name that is taken", f"{column!r} is called {column} ({seen[column]})")
            column = f"{column} ({seen[column]})"
        result.append(column)
    return result
