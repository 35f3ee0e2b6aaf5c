"""From the bytes of ``styles.csv`` to rows: mends what is plain, refuses what is not, and loses nothing in silence."""

import re
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from components.catalogue.reading import cells as forms
from components.catalogue.reading.cells import alike, id_of, is_empty, label_of, oddity, tidy, without_entities
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.columns import Columns, kept_columns, names_all, open_columns
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Finding, Reason
from components.catalogue.reading.levels import label_columns
from components.catalogue.reading.sheet import Record, Sheet
from components.catalogue.reading.source import Catalogue
from schema import heads as table
from schema import names

ROWS_AT_ONCE: Final = 512
_YEAR: Final = re.compile(r"(\d{1,4})(?:\.0+|-\d\d-\d\d(?:[ T].*)?)?")


@dataclass(frozen=True)
class Row:
    """One product as its row tells it.

    Attributes:
        id: unique within the catalogue.
        line: of ``styles.csv``, counted from 1.
        cells: column → text, of labels and attributes that are not empty.
        split: what the ``split`` column says; None where the catalogue has no such column.
    """

    id: str
    line: int
    cells: dict[str, str]
    split: str | None = None


@dataclass
class Rows:
    """Every row of a ``styles.csv``: those that can be taken, those that cannot, and what was mended in the former.

    ``ignored_columns`` are those that mean nothing here; ``changes``: what was read otherwise than it is written.
    """

    taken: list[Row] = field(default_factory=list)
    rejected: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)

    @property
    def everything(self) -> list[Row | Finding]:
        """Every row, taken or rejected."""
        return [*self.taken, *self.rejected]


class RowStream:
    """The rows of a ``styles.csv``, some at a time: only their ids are ever held all together.

    Args:
        content: the file.
        known: ids of the pictures, which help to tell what the ids of the rows mean.

    Attributes:
        ignored_columns: those that mean nothing here.
        changes: what was read otherwise than it is written, in the rows that were asked for so far.

    Raises:
        CatalogueError: as :func:`parse_rows`.
    """

    def __init__(self, content: bytes, known: Collection[str] = ()) -> None:
        self.changes = Changes()
        sheet, columns, self._records = open_columns(content, self.changes)
        self.ignored_columns = columns.ignored
        self._reader = _Reader(sheet, columns, known, self.changes)
        for label in (label for label in table.columns() if label not in self._reader.labels):
            self.changes.note("level of the taxonomy that no row tells, left out", label)

    def chunks(self, size: int) -> Iterator[Rows]:
        """Every row, once: each chunk has ``size`` of them, taken or rejected, with what is to be said of them."""
        chunk, any_row = Rows(), False
        for record in self._records:
            self._reader.take(record, chunk)
            if len(chunk.taken) + len(chunk.rejected) >= size:
                yield chunk
                chunk, any_row = Rows(), True
        if chunk.everything:
            yield chunk
        elif not any_row:
            raise CatalogueError(f"{names.STYLES_CSV} has a header and no rows")


def stream_rows(catalogue: Catalogue) -> RowStream:
    """The rows of a catalogue, whose pictures help to tell what its ids mean.

    Raises:
        CatalogueError: ``styles.csv`` is missing or cannot be used.
    """
    return RowStream(catalogue.styles(), catalogue.images)


def require_rows(catalogue: Catalogue) -> None:
    """Sees to it that a catalogue has rows at all.

    Raises:
        CatalogueError: ``styles.csv`` is missing, cannot be used or is empty.
    """
    next(RowStream(catalogue.styles()).chunks(1))


def read_rows(catalogue: Catalogue) -> Rows:
    """The rows of a catalogue, whose pictures help to tell what its ids mean.

    Raises:
        CatalogueError: ``styles.csv`` is missing or cannot be used.
    """
    return parse_rows(catalogue.styles(), catalogue.images)


def parse_rows(content: bytes, known: Collection[str] = ()) -> Rows:
    """Reads a whole ``styles.csv``.

    Args:
        content: the file.
        known: ids of the pictures.

    Raises:
        CatalogueError: it is empty, in no known encoding, holds NUL bytes, or misses a column that must be there.
    """
    stream = RowStream(content, known)
    rows = Rows(ignored_columns=stream.ignored_columns, changes=stream.changes)
    for chunk in stream.chunks(ROWS_AT_ONCE):
        rows.taken += chunk.taken
        rows.rejected += chunk.rejected
        rows.repaired += chunk.repaired
    return rows


def years_of(content: bytes) -> Iterator[str]:
    """The years of a ``styles.csv``, row by row, as far as somebody asks; rows that cannot be taken have none.

    Raises:
        CatalogueError: as :func:`parse_rows`.
    """
    for chunk in RowStream(content).chunks(1):
        yield from (row.cells[names.YEAR] for row in chunk.taken if names.YEAR in row.cells)


class _Rejected(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class _Reader:
    """Takes the records of one sheet, one after the other, and notes what it does with each."""

    def __init__(self, sheet: Sheet, columns: Columns, known: Collection[str], changes: Changes) -> None:
        self._sheet, self._columns, self._known, self._changes = sheet, columns, known, changes
        self._lines: dict[str, int] = {}  # id → line of its row
        self._free = _free_ids(columns.header.index(names.ID), known, islice(sheet.records(), 1, None))
        self.labels = label_columns(columns, islice(sheet.records(), 1, None))

    def take(self, record: Record, rows: Rows) -> None:
        """Takes or rejects a row; one without any text is passed over, as empty lines are."""
        if not record.error and not any(map(_has_text, record.fields)):
            self._changes.note("row of separators alone, passed over", f"line {record.line}")
            return
        if record.fields and names_all(record.fields):
            self._changes.note("header that comes again, passed over", f"line {record.line}")
            return
        repairs: list[tuple[Reason, str]] = []
        try:
            row = self._row(record.line, self._cells(record, repairs), repairs)
        except _Rejected as rejection:
            given = dict(zip(self._columns.header, record.fields, strict=False)).get(names.ID, "").strip()
            row_id = id_of(given, self._known) or given
            rows.rejected.append(Finding(row_id, record.line, rejection.reason, rejection.detail))
            return
        self._lines[row.id] = row.line
        rows.taken.append(row)
        rows.repaired += (Finding(row.id, row.line, reason, detail) for reason, detail in repairs)

    def _cells(self, record: Record, repairs: list[tuple[Reason, str]]) -> dict[str, str]:
        """Column → text as it is written; surplus fields belong to the name, the one column of free text."""
        if record.error:
            raise _Rejected(Reason.UNREADABLE_ROW, record.error)
        header, fields = self._columns.header, list(record.fields)
        if record.stray_quote:
            repairs.append((Reason.STRAY_QUOTE, "quotes that do not pair up are read as part of the text"))
        while len(fields) > len(header) and not _has_text(fields[-1]):
            fields.pop()  # separators at the end of the row
        if self._columns.named <= len(fields):
            fields += [""] * (len(header) - len(fields))  # separators at the end of the header
        surplus = len(fields) - len(header)
        if surplus > 0 and names.PRODUCT_NAME in header:
            at = header.index(names.PRODUCT_NAME)
            name = self._sheet.separator.join(fields[at : at + surplus + 1])
            fields = [*fields[:at], name, *fields[at + surplus + 1 :]]
            repairs.append((Reason.UNQUOTED_COMMA, f"read as {name!r}"))
        if len(fields) != len(header):
            raise _Rejected(Reason.WRONG_FIELD_COUNT, f"{len(record.fields)} fields, the header names {len(header)}")
        self._note_nameless(record.line, fields)
        return {column: text.strip() for column, text in zip(header, fields, strict=True) if column}

    def _note_nameless(self, line: int, fields: list[str]) -> None:
        texts = [text for column, text in zip(self._columns.header, fields, strict=True) if not column]
        if any(map(_has_text, texts)):
            self._changes.note("cell of a column without a name, not read", f"line {line}: {texts}")

    def _row(self, line: int, cells: dict[str, str], repairs: list[tuple[Reason, str]]) -> Row:
        row_id = self._id(line, cells[names.ID])
        kept = {column: self._kept(line, column, cells[column]) for column in kept_columns() if column in cells}
        empty = [label for label in self.labels if not kept[label]]
        if empty:
            raise _Rejected(Reason.EMPTY_LABEL, f"no {', '.join(_emptied(label, cells[label]) for label in empty)}")
        filled = {column: sys.intern(text) for column, text in kept.items() if text}
        if names.YEAR in filled:
            _mend_year(filled, repairs)
        return Row(row_id, line, filled, _split(cells))

    def _id(self, line: int, text: str) -> str:
        row_id = id_of(text, self._known)
        row_id = row_id if row_id in self._known else self._free.get(alike(row_id), row_id)
        if not row_id:
            raise _Rejected(Reason.EMPTY_ID, f"a row needs an id{f'; {text!r} is read as none' if text else ''}")
        read_as = "" if row_id == text else f"{text!r} is read as {row_id!r}: "
        if row_id in self._lines:
            raise _Rejected(
                Reason.DUPLICATE_ID,
                f"{read_as}an earlier row, line {self._lines[row_id]}, has this id; the first one is taken",
            )
        if forms.is_rounded(row_id):
            self._changes.note(forms.ROUNDED, f"line {line}: {text!a}")
        if read_as:
            self._changes.note("id in its normal form", f"line {line}: {text!a} → {row_id!r}")
        return row_id

    def _kept(self, line: int, column: str, text: str) -> str:
        """A label, attribute or name in its normal form; of a name only its characters are composed."""
        if column == names.PRODUCT_NAME:
            read = "" if is_empty(text) else unicodedata.normalize("NFC", without_entities(text))
        else:
            read = label_of(text)
            if (what := oddity(read)) and column != names.YEAR:
                self._changes.note(f"{what} as a label, taken as it stands", f"line {line}, {column}: {text!a}")
        if read == text:
            return read
        # In ASCII, for the two may look the same.
        what = "characters and white space in their normal form" if read else "word for nothing, read as empty"
        self._changes.note(what, f"line {line}, {column}: {text!a}{f' → {read!r}' if read else ''}")
        return read


def _free_ids(at: int, known: Collection[str], records: Iterable[Record]) -> dict[str, str]:
    """What is alike → the one id of a picture that is so and that no row names exactly.

    A spreadsheet takes zeros away, and file names have other letters than ids: no row takes another one's picture.
    """
    if not known:
        return {}
    named = {id_of(record.fields[at], known) for record in records if at < len(record.fields)}
    found: dict[str, list[str]] = {}
    for one in known:
        found.setdefault(alike(one), []).append(one)
    return {key: ids[0] for key, ids in found.items() if len(ids) == 1 and ids[0] not in named}


def _has_text(field: str) -> bool:
    return bool(tidy(field))


def _emptied(label: str, text: str) -> str:
    return f"{label} ({text!r} is read as empty)" if text else label


def _mend_year(cells: dict[str, str], repairs: list[tuple[Reason, str]]) -> None:
    """Spreadsheets write 2012 as ``2012.0``; what is no whole number is left out."""
    text = cells.pop(names.YEAR)
    if year := _YEAR.fullmatch(forms.number_of(text)):
        cells[names.YEAR] = str(int(year.group(1)))
    else:
        repairs.append((Reason.BAD_YEAR, f"{text!r}; left empty"))


def _split(cells: dict[str, str]) -> str | None:
    if names.SPLIT_COLUMN not in cells:
        return None
    split = label_of(cells[names.SPLIT_COLUMN]).lower()
    if split not in names.SPLITS:
        raise _Rejected(Reason.UNKNOWN_SPLIT, f"{cells[names.SPLIT_COLUMN]!r}; one of {', '.join(names.SPLITS)}")
    return split
