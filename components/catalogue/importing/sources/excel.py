"""Worksheets of Excel (.xlsx) as tables: what a cell shows, never what it would compute."""

import datetime
import itertools
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

from components.catalogue.importing.sources.documents import whole_number
from components.catalogue.importing.sources.files import MAX_SHEET_BYTES, Files
from components.catalogue.importing.sources.table import HEADER_AMONG, Record, Table, find_header, note_unread
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError

_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]+)(\d+):[A-Z]+(\d+)"')
_ZEROS: Final = re.compile(r"(?:\[[^\]]*\])*(0+)")
WORKSHEET: Final = "#"
"""Stands between the file and its worksheet in the name of a sheet."""
PICTURES_INSIDE: Final = "picture inside of a workbook, not read; lay it beside as a file that is named by its row's id"


class Worksheet(Table):
    """One worksheet. A formula counts by the value that the file keeps of it.

    Excel's XML is slow to read, so it is read once, into a temporary file.
    """

    def __init__(self, files: Files, file: str, worksheet: str) -> None:
        name, notes = f"{file}{WORKSHEET}{worksheet}", Changes()
        self._texts = tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".jsonl")  # noqa: SIM115 - kept open
        for line, texts in _read(files, file, worksheet, notes):
            self._texts.write(json.dumps([line, texts]) + "\n")
        self._texts.flush()
        first = [row for _, row in itertools.islice(self._rows(), HEADER_AMONG)]
        self._header = find_header(first, name, notes)
        super().__init__(name, [column for column in self._header.columns if column], notes)
        self.folder = file.rpartition("/")[0]
        below = itertools.islice(self._rows(), self._header.row + 1, None)
        note_unread(self._header, ((f"row {line}", fields) for line, fields in below), notes)

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        for index, (line, fields) in enumerate(self._rows()):
            if index > self._header.row:
                cells = self._header.cells(fields)
                bare = [column for column, text in cells.items() if text == _NO_VALUE]
                faults = dict.fromkeys(bare, "formula without a value; save the sheet in Excel once")
                yield Record(f"{self.name}:{line}", line, {**cells, **dict.fromkeys(bare, "")}, faults=faults)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        with Path(self._texts.name).open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _read(files: Files, file: str, worksheet: str, notes: Changes) -> Iterator[tuple[int, list[str]]]:
    """Line and texts of every row that is not empty."""
    with files.open_sheet(file) as values, files.open_sheet(file) as formulas:
        book = _workbook(values, file, True)
        shown = _rows_of(book, worksheet)
        archive = zipfile.ZipFile(formulas)
        for name in (name for name in archive.namelist() if name.startswith("xl/media/")):
            notes.note(PICTURES_INSIDE, f"{name} of {file}")
        merged = _Merged(_pieces(archive, book[worksheet]._worksheet_path), notes)
        written = _rows_of(_workbook(formulas, file, False), worksheet) if _has_formulas(formulas) else None
        for line, kept in enumerate(shown, 1):
            typed = [cell.value for cell in next(written)] if written else [None] * len(kept)
            texts = [_text(cell, formula) for cell, formula in zip(kept, typed, strict=True)]
            if any(map(tidy, texts)):
                yield line, merged.filled(line, texts)


class _Merged:
    """Cells that are one over several rows: the file has their value in the first one, a person sees it in each."""

    def __init__(self, pieces: Iterator[bytes], notes: Changes) -> None:
        from openpyxl.utils import column_index_from_string

        found = {match.group(0): match for piece in pieces for match in _MERGED.finditer(piece)}
        self._lasts: dict[tuple[int, int], int] = {}  # row and column of the first cell → row of the last
        for column, first, last in (match.groups() for match in found.values()):
            if int(last) > int(first):
                self._lasts[int(first), column_index_from_string(column.decode()) - 1] = int(last)
        self._open: dict[int, tuple[int, str]] = {}  # column → row of the last cell, and the text
        self._notes = notes

    def filled(self, line: int, texts: list[str]) -> list[str]:
        """The texts of a row, with what is merged into it from above."""
        texts = texts + [""] * (max(self._open, default=-1) + 1 - len(texts))  # a row ends with its last cell
        for column, text in enumerate(texts):
            if last := self._lasts.get((line, column)):
                self._open[column] = last, text
            last, above = self._open.get(column, (0, ""))
            if line <= last and above and not text:
                texts[column] = above
                self._notes.note("cell merged with the one above, read like it", f"row {line}: {above!r}")
        return texts


def _has_formulas(file: BinaryIO) -> bool:
    """Whether any worksheet has a formula: only then is it worth to read them all once more."""
    with zipfile.ZipFile(file) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(b"<f" in piece for name in sheets for piece in _pieces(archive, name))


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The bytes of an entry, each piece with the last ones of the piece before."""
    before = b""
    with archive.open(name) as file:
        while piece := file.read(1 << 20):
            yield before + piece
            before = piece[-64:]


def _rows_of(book: Any, worksheet: str) -> Iterator[tuple[Any, ...]]:
    known = [sheet.title for sheet in book.worksheets]  # sheets of charts are none
    if worksheet not in known:
        raise CatalogueError(f"there is no worksheet {worksheet!r}; there are: {', '.join(known)}")
    book[worksheet].reset_dimensions()  # some tools claim that a sheet is one cell
    return book[worksheet].iter_rows()


def worksheets(files: Files, file: str) -> list[str]:
    """The worksheets of a file that hold anything; hidden ones where there are no others.

    Raises:
        CatalogueError: it is no such file, or claims to unpack to far too much.
    """
    with files.open_sheet(file) as opened:
        book = _workbook(opened, file, True)
        filled = [sheet for sheet in book.worksheets if any(_filled(sheet))]
        shown = [sheet for sheet in filled if sheet.sheet_state == "visible"]
        return [sheet.title for sheet in shown or filled]


def _filled(sheet: Any) -> Iterator[bool]:
    sheet.reset_dimensions()
    return (any(cell is not None for cell in row) for row in sheet.iter_rows(values_only=True))


def _workbook(file: Any, name: str, values: bool) -> Any:
    import openpyxl

    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            _require_transitional(archive, name)
        if unpacked > 4 * MAX_SHEET_BYTES:
            raise CatalogueError(f"{name} claims to unpack to {unpacked:,} bytes; save it as CSV")
        return openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False)
    except CatalogueError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part of the file makes it trip over
        kind = PurePosixPath(name).suffix
        raise CatalogueError(f"{name} cannot be read as {kind} ({error}); save it anew as .xlsx or CSV") from error


def _require_transitional(archive: zipfile.ZipFile, name: str) -> None:
    """Refuses the variant of the format that openpyxl takes for an empty file."""
    if _BOOK in archive.namelist():
        with archive.open(_BOOK) as book:
            if _STRICT in book.read(4096):
                raise CatalogueError(f"{name} is saved as Strict Open XML; save it as a plain Excel workbook (.xlsx)")


_BOOK, _STRICT = "xl/workbook.xml", b"purl.oclc.org/ooxml"
_NO_VALUE: Final = "\0"


def _text(cell: Any, formula: Any) -> str:
    """What a cell shows; ``formula`` is that of one that has one."""
    value = cell.value
    if value is None:
        is_empty_text = cell.data_type == "str"  # which Excel keeps of ="" too
        return "" if formula is None or is_empty_text else _NO_VALUE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)) and float(value).is_integer():
        return whole_number(value).zfill(_digits(cell.number_format))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time.min:
        return value.date().isoformat()  # Excel knows no days without an hour
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return _unescaped(str(value))


@lru_cache(64)
def _digits(number_format: str) -> int:
    """How many digits a whole number is shown with at least: ``00000`` makes 00042 of 42."""
    zeros = _ZEROS.fullmatch(number_format.partition(";")[0])
    return len(zeros.group(1)) if zeros else 0


def _unescaped(text: str) -> str:
    """Excel writes what XML cannot hold as ``_x000D_``, and some tools an emoji as its two halves."""
    if "_x" not in text:
        return text
    from openpyxl.utils.escape import unescape

    try:
        return str(unescape(text)).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:  # half of one is no character
        return text
