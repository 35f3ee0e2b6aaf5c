"""Worksheets of Excel (.xlsx) as tables: what a cell shows, never what it would compute."""

import datetime
import html
import itertools
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

from components.catalogue.importing.addresses import first_of
from components.catalogue.importing.sources.documents import whole_number
from components.catalogue.importing.sources.files import MAX_SHEET_BYTES, Files
from components.catalogue.importing.sources.table import (
    HEADER_AMONG,
    Header,
    Record,
    Table,
    find_header,
    note_unread,
    once_each,
)
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError

_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]+)(\d+):[A-Z]+(\d+)"')
_HYPERLINK: Final = re.compile(rb"<(?:\w+:)?hyperlink\s[^<>]*>")
_CELLS: Final = re.compile(rb"[A-Z]{1,3}[1-9]\d{0,6}(?::[A-Z]{1,3}[1-9]\d{0,6})?")
_ATTRIBUTE: Final = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
_ZEROS: Final = re.compile(r"(?:\[[^\]]*\])*(0+)")
WORKSHEET: Final = "#"
"""Stands between the file and its worksheet in the name of a sheet."""
LINK: Final = " (link)"
"""Behind the name of a column: what its cells link to."""
PICTURES_INSIDE: Final = "picture inside of a workbook, not read; lay it beside as a file that is named by its row's id"


class Worksheet(Table):
    """One worksheet. A formula counts by the value that the file keeps of it.

    Excel's XML is slow to read, so it is read once, into a temporary file.
    """

    def __init__(self, files: Files, file: str, worksheet: str) -> None:
        name, notes = f"{file}{WORKSHEET}{worksheet}", Changes()
        self._texts = tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".jsonl")  # noqa: SIM115 - kept open
        linking: set[int] = set()  # columns
        for line, texts, linked in _read(files, file, worksheet, notes):
            self._texts.write(json.dumps([line, texts, linked]) + "\n")
            linking |= linked.keys()
        self._texts.flush()
        first = [row for _, row, _ in itertools.islice(self._rows(), HEADER_AMONG)]
        header = find_header(first, name, notes)
        self._linked = sorted(at for at in linking if at < len(header.columns) and header.columns[at])
        more = [f"{header.columns[column]}{LINK}" for column in self._linked]
        self._header = Header(header.row, once_each([*header.columns, *more], notes))
        super().__init__(name, [column for column in self._header.columns if column], notes)
        self.folder = file.rpartition("/")[0]
        below = itertools.islice(self._rows(), self._header.row + 1, None)
        note_unread(header, ((f"row {line}", fields) for line, fields, _ in below), notes)

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        width = len(self._header.columns) - len(self._linked)
        for index, (line, fields, links) in enumerate(self._rows()):
            if index > self._header.row:
                plain = fields[:width] + [""] * (width - len(fields))
                cells = self._header.cells([*plain, *(links.get(str(column), "") for column in self._linked)])
                bare = [column for column, text in cells.items() if text == _NO_VALUE]
                faults = dict.fromkeys(bare, "formula without a value; save the sheet in Excel once")
                yield Record(f"{self.name}:{line}", line, {**cells, **dict.fromkeys(bare, "")}, faults=faults)

    def _rows(self) -> Iterator[tuple[int, list[str], dict[str, str]]]:
        with Path(self._texts.name).open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _read(files: Files, file: str, worksheet: str, notes: Changes) -> Iterator[tuple[int, list[str], dict[int, str]]]:
    """Line, texts and links of every row that is not empty; a link by the number of its column."""
    with files.open_sheet(file) as values, files.open_sheet(file) as formulas:
        book = _workbook(values, file, True)
        shown = _rows_of(book, worksheet)
        archive = zipfile.ZipFile(formulas)
        for name in (name for name in archive.namelist() if name.startswith("xl/media/")):
            notes.note(PICTURES_INSIDE, f"{name} of {file}")
        path = book[worksheet]._worksheet_path
        merged, linked = _Merged(_pieces(archive, path), notes), _linked(archive, path)
        written = _rows_of(_workbook(formulas, file, False), worksheet) if _has_formulas(formulas) else None
        for line, kept in enumerate(shown, 1):
            typed = [cell.value for cell in next(written)] if written else [None] * len(kept)
            texts = [_text(cell, formula) for cell, formula in zip(kept, typed, strict=True)]
            if any(map(tidy, texts)):
                links = {at: link for at, one in enumerate(typed) if one and (link := _link_of(one))} | linked.get(
                    line, {}
                )
                yield line, merged.filled(line, texts), links


def _link_of(formula: Any) -> str:
    """The address in a formula like ``=HYPERLINK("…","…")`` or ``=IMAGE("…")``; "" where there is none."""
    text = getattr(formula, "text", formula)  # of an array
    if not isinstance(text, str) or not text.startswith("="):
        return ""
    link = first_of(text)[0]
    return "" if link.startswith("=") else link


def _linked(archive: zipfile.ZipFile, path: str) -> dict[int, dict[int, str]]:
    """Row → column → what the cell links to, outside of the workbook."""
    from openpyxl.utils.cell import range_boundaries

    targets = _targets(archive, path)
    found: dict[int, dict[int, str]] = {}
    pieces = _pieces(archive, path) if targets else iter(())
    elements = {one.group() for piece in pieces for one in _HYPERLINK.finditer(piece)}
    for told in (dict(_ATTRIBUTE.findall(one)) for one in elements):
        target = next((targets[told[key]] for key in told if key.endswith(b":id") and told[key] in targets), "")
        if target and _CELLS.fullmatch(told.get(b"ref", b"")):
            first, top, last, bottom = range_boundaries(told[b"ref"].decode())
            if (last - first + 1) * (bottom - top + 1) <= _MOST_LINKED:
                for row, column in itertools.product(range(top, bottom + 1), range(first - 1, last)):
                    found.setdefault(row, {})[column] = target
    return found


def _targets(archive: zipfile.ZipFile, path: str) -> dict[bytes, str]:
    """Id → address of each hyperlink of a worksheet, as the part beside it tells them."""
    folder, _, name = path.lstrip("/").rpartition("/")
    beside = f"{folder}/_rels/{name}.rels"
    text = archive.read(beside) if beside in archive.namelist() else b""
    elements = (dict(_ATTRIBUTE.findall(one)) for one in text.split(b"<") if b"/hyperlink" in one)
    told = {one[b"Id"]: html.unescape(one.get(b"Target", b"").decode()) for one in elements if b"Id" in one}
    return {key: target for key, target in told.items() if not target.lower().startswith("mailto:")}


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
            before = piece[-4096:]


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


_MOST_LINKED: Final = 10_000  # cells of one link; a whole column of them is no picture of a row
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
