"""From the bytes of ``styles.csv`` to rows: mends what is plain, refuses what is not, and loses nothing in silence."""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Finding, Reason
from schema import heads as table
from schema import names

MAX_LINES_OF_A_ROW: Final = 10  # a quoted name may hold line ends; a quote open for longer than this was never closed


def known_columns() -> tuple[str, ...]:
    """Every column of ``styles.csv`` that means something here."""
    return (names.ID, *_kept_columns(), names.SPLIT_COLUMN)


def _kept_columns() -> tuple[str, ...]:
    # A head may be of a column that has a use of its own.
    return tuple(dict.fromkeys((*table.columns(table.HEADS), names.YEAR, names.PRODUCT_NAME)))


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

    ``ignored_columns`` are those that mean nothing here.
    """

    taken: list[Row] = field(default_factory=list)
    rejected: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)

    def chunks(self, size: int) -> Iterator["Rows"]:
        """Rows to take, ``size`` at a time, at least one chunk; the first also has all findings."""
        yield Rows(self.taken[:size], self.rejected, self.repaired)
        for start in range(size, len(self.taken), size):
            yield Rows(self.taken[start : start + size])

    @property
    def ids(self) -> set[str]:
        """Ids of all rows, also of those that are not taken."""
        return {row.id for row in self.taken} | {finding.id for finding in self.rejected}


def parse_rows(content: bytes) -> Rows:
    """Reads a whole ``styles.csv``.

    Raises:
        CatalogueError: it is empty, is not UTF-8, holds NUL bytes, or misses a column that must be there.
    """
    records = _records(_lines(content))
    header = _header(records)
    rows, seen = Rows(ignored_columns=[column for column in header if column not in known_columns()]), set[str]()
    for record in records:
        _take(record, header, seen, rows)
    if not rows.taken and not rows.rejected:
        raise CatalogueError(f"{names.STYLES_CSV} has a header and no rows")
    return rows


def header_of(content: bytes) -> list[str]:
    """The columns of a ``styles.csv``.

    Raises:
        CatalogueError: as :func:`parse_rows`.
    """
    return _header(_records(_lines(content)))


def _lines(content: bytes) -> list[str]:
    return _text(content).replace("\r\n", "\n").replace("\r", "\n").split("\n")


@dataclass(frozen=True)
class _Record:
    line: int
    fields: list[str]
    stray_quote: bool = False
    error: str = ""


class _Rejected(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogueError(
            f"{names.STYLES_CSV} is not UTF-8: byte 0x{content[error.start]:02x} in line {line}; save it as UTF-8"
        ) from error
    if not text.strip():
        raise CatalogueError(f"{names.STYLES_CSV} is empty")
    if (position := text.find("\0")) >= 0:
        line = text.count("\n", 0, position) + 1
        raise CatalogueError(f"{names.STYLES_CSV} holds a NUL byte in line {line}; save it as plain text in UTF-8")
    return text


def _records(lines: Sequence[str]) -> Iterator[_Record]:
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        record, used = _record(lines, start)
        yield record
        start += used


def _record(lines: Sequence[str], start: int) -> tuple[_Record, int]:
    """The record that begins at ``start`` and how many lines it takes.

    The strict reader refuses quotes that do not pair up, where the lenient one would swallow the rows that follow.
    """
    for end in range(start + 1, min(start + MAX_LINES_OF_A_ROW, len(lines)) + 1):
        fields = _strictly(lines[start:end])
        if fields is not None:
            return _Record(start + 1, fields), end - start
    try:
        return _Record(start + 1, next(csv.reader([lines[start]], quoting=csv.QUOTE_NONE)), stray_quote=True), 1
    except csv.Error as error:
        return _Record(start + 1, lines[start].split(","), error=str(error)), 1


def _strictly(lines: Sequence[str]) -> list[str] | None:
    try:
        return next(csv.reader([line + "\n" for line in lines], strict=True))
    except csv.Error:
        return None


def _header(records: Iterator[_Record]) -> list[str]:
    header = [cell.strip() for cell in next(records).fields]
    missing = [column for column in (names.ID, *table.columns()) if column not in header]
    if missing:
        hint = "; separate the columns by commas" if len(header) == 1 else ""
        raise CatalogueError(
            f"{names.STYLES_CSV} misses the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            f"its header names {', '.join(header)}{hint}"
        )
    twice = {column for column in header if header.count(column) > 1}
    if twice:
        raise CatalogueError(f"{names.STYLES_CSV} names a column twice: {', '.join(sorted(map(repr, twice)))}")
    return header


def _take(record: _Record, header: list[str], seen: set[str], rows: Rows) -> None:
    repairs: list[tuple[Reason, str]] = []
    try:
        row = _row(record.line, _cells(record, header, repairs), seen, repairs)
    except _Rejected as rejection:
        row_id = dict(zip(header, record.fields, strict=False)).get(names.ID, "").strip()
        rows.rejected.append(Finding(row_id, record.line, rejection.reason, rejection.detail))
        return
    seen.add(row.id)
    rows.taken.append(row)
    rows.repaired += (Finding(row.id, row.line, reason, detail) for reason, detail in repairs)


def _cells(record: _Record, header: list[str], repairs: list[tuple[Reason, str]]) -> dict[str, str]:
    """Column → text; surplus fields belong to the name, the one column of free text."""
    if record.error:
        raise _Rejected(Reason.UNREADABLE_ROW, record.error)
    fields, surplus = record.fields, len(record.fields) - len(header)
    if record.stray_quote:
        repairs.append((Reason.STRAY_QUOTE, "quotes that do not pair up are read as part of the text"))
    if surplus > 0 and names.PRODUCT_NAME in header:
        at = header.index(names.PRODUCT_NAME)
        name = ",".join(fields[at : at + surplus + 1])
        fields = [*fields[:at], name, *fields[at + surplus + 1 :]]
        repairs.append((Reason.UNQUOTED_COMMA, f"read as {name!r}"))
    if len(fields) != len(header):
        raise _Rejected(Reason.WRONG_FIELD_COUNT, f"{len(record.fields)} fields, the header names {len(header)}")
    return {column: text.strip() for column, text in zip(header, fields, strict=True)}


def _row(line: int, cells: dict[str, str], seen: set[str], repairs: list[tuple[Reason, str]]) -> Row:
    if not cells[names.ID]:
        raise _Rejected(Reason.EMPTY_ID, "a row needs an id")
    if cells[names.ID] in seen:
        raise _Rejected(Reason.DUPLICATE_ID, "an earlier row has this id; the first one is taken")
    empty = [label for label in table.columns() if not cells[label]]
    if empty:
        raise _Rejected(Reason.EMPTY_LABEL, f"no {', '.join(empty)}")
    kept = {column: sys.intern(cells[column]) for column in _kept_columns() if cells.get(column)}
    if names.YEAR in kept:
        _mend_year(kept, repairs)
    return Row(cells[names.ID], line, kept, _split(cells))


def _mend_year(cells: dict[str, str], repairs: list[tuple[Reason, str]]) -> None:
    """Spreadsheets write 2012 as ``2012.0``; what is no whole number is left out."""
    text = cells.pop(names.YEAR)
    whole = text.removesuffix(".0")
    if whole.isascii() and whole.isdigit() and len(whole) <= 4:
        cells[names.YEAR] = whole
    else:
        repairs.append((Reason.BAD_YEAR, f"{text!r}; left empty"))


def _split(cells: dict[str, str]) -> str | None:
    if names.SPLIT_COLUMN not in cells:
        return None
    split = cells[names.SPLIT_COLUMN].lower()
    if split not in names.SPLITS:
        raise _Rejected(Reason.UNKNOWN_SPLIT, f"{cells[names.SPLIT_COLUMN]!r}; one of {', '.join(names.SPLITS)}")
    return split
