"""Worksheets of Excel (.xlsx) as tables: what a cell shows, never what it would compute."""

import datetime
import itertools
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from components.catalogue.importing.sources.files import MAX_SHEET_BYTES, Files
from components.catalogue.importing.sources.table import HEADER_AMONG, Record, Table, find_header
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError

WORKSHEET: Final = "#"
"""Stands between the file and its worksheet in the name of a sheet."""


class Worksheet(Table):
    """One worksheet. A formula counts by the value that the file keeps of it."""

    def __init__(self, files: Files, file: str, worksheet: str) -> None:
        self._files, self._file, self._worksheet = files, file, worksheet
        name, notes = f"{file}{WORKSHEET}{worksheet}", Changes()
        first = [row for _, row in itertools.islice(self._rows(), HEADER_AMONG)]
        self._header = find_header(first, name, notes)
        super().__init__(name, [column for column in self._header.columns if column], notes)
        self.folder = file.rpartition("/")[0]

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        for index, (line, fields) in enumerate(self._rows()):
            if index > self._header.row:
                cells = self._header.cells(fields)
                bare = [column for column, text in cells.items() if text == _NO_VALUE]
                fault = f"formula without a value in {', '.join(bare)}; save the sheet in Excel once" if bare else ""
                yield Record(f"{self.name}:{line}", line, cells, error=fault)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line and texts of every row that is not empty."""
        with self._files.open_sheet(self._file) as values, self._files.open_sheet(self._file) as formulas:
            shown, written = (_workbook(file, self._file, kept) for file, kept in ((values, True), (formulas, False)))
            rows = (_rows_of(book, self._worksheet) for book in (shown, written))
            for line, (kept, typed) in enumerate(zip(*rows, strict=True), 1):
                texts = [_text(value, cell) for value, cell in zip(kept, typed, strict=True)]
                if any(map(tidy, texts)):
                    yield line, texts


def _rows_of(book: Any, worksheet: str) -> Iterator[tuple[Any, ...]]:
    if worksheet not in book.sheetnames:
        raise CatalogueError(f"there is no worksheet {worksheet!r}; there are: {', '.join(book.sheetnames)}")
    book[worksheet].reset_dimensions()  # some tools claim that a sheet is one cell
    return book[worksheet].iter_rows(values_only=True)


def worksheets(files: Files, file: str) -> list[str]:
    """The worksheets of a file that hold anything.

    Raises:
        CatalogueError: it is no such file, or claims to unpack to far too much.
    """
    with files.open_sheet(file) as opened:
        book = _workbook(opened, file, True)
        return [sheet.title for sheet in book.worksheets if any(_filled(sheet))]


def _filled(sheet: Any) -> Iterator[bool]:
    return (any(cell is not None for cell in row) for row in sheet.iter_rows(values_only=True))


def _workbook(file: Any, name: str, values: bool) -> Any:
    import openpyxl

    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > 4 * MAX_SHEET_BYTES:
            raise CatalogueError(f"{name} claims to unpack to {unpacked:,} bytes; save it as CSV")
        return openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False)
    except CatalogueError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part of the file makes it trip over
        kind = PurePosixPath(name).suffix
        raise CatalogueError(f"{name} cannot be read as {kind} ({error}); save it anew as .xlsx or CSV") from error


_NO_VALUE: Final = "\0"


def _text(value: Any, written: Any) -> str:
    """What a cell shows; ``written`` is the formula of one that has a formula."""
    if value is None:
        return _NO_VALUE if isinstance(written, str) and written.startswith("=") else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value)
