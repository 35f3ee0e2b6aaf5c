"""CSV, TSV and their kin as tables, by the reader that ``styles.csv`` has too."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.table import Listed, Record, Table, find_header, note_unread, once_each
from components.catalogue.reading import sheet
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from schema.file_names import PICTURE_SUFFIXES

_LOOKED_AT: Final = 1 << 16
_COUNT: Final = re.compile(r"\d{1,9}")
_GAP: Final = re.compile(r"\s{2,}|\t")
_OF_PICTURE: Final = "image_name"


def looks_like_table(files: Files, name: str) -> bool:
    """Whether a text file has tabs like a feed: in its first lines one width, of three columns or more."""
    lines = files.read_sheet(name)[:_LOOKED_AT].splitlines()[:-1]
    tabs = [line.count(b"\t") for line in lines if line.strip(b"\0\t ")]
    return len(tabs) > 1 and max(tabs) > 1 and 2 * tabs.count(max(tabs)) >= len(tabs)


def counted_list(lines: Sequence[str]) -> tuple[list[str], list[list[str]]] | None:
    """Columns and rows of a list that begins with their number and a header, with spaces between fields; or None.

    So DeepFashion and CelebA write; the latter's header leaves out the picture, which stands first in each row.
    """
    filled = [line.strip() for line in lines if line.strip()]
    if len(filled) < 3 or not _COUNT.fullmatch(filled[0]) or int(filled[0]) != len(filled) - 2:
        return None
    columns = filled[1].split()
    rows = [line.split() for line in filled[2:]]
    if {len(row) for row in rows} == {len(columns) + 1} and all(map(_is_picture, rows)):
        return [_OF_PICTURE, *columns], rows
    rows = [row if len(row) == len(columns) else _GAP.split(line) for row, line in zip(rows, filled[2:], strict=True)]
    return (columns, rows) if {len(row) for row in rows} == {len(columns)} else None


def _is_picture(row: Sequence[str]) -> bool:
    return row[0].lower().endswith(PICTURE_SUFFIXES)


def counted_pictures(files: Files, name: str) -> Table | None:
    """The table of a counted list whose rows begin with a picture; None where a text is none."""
    content = files.read_sheet(name)
    if not _COUNT.fullmatch(content[:_LOOKED_AT].split(b"\n")[0].strip().decode("latin-1")):
        return None
    try:
        counted = counted_list(content.decode("utf-8-sig").splitlines())
    except UnicodeDecodeError:
        return None
    if not counted or not all(map(_is_picture, counted[1])):
        return None
    notes = Changes()
    columns = once_each(counted[0], notes)
    rows = enumerate(counted[1], 3)
    records = [Record(f"{name}:{line}", line, dict(zip(columns, row, strict=True))) for line, row in rows]
    return Listed(name, columns, records, notes)


class TextSheet(Table):
    """A sheet of text: any separator, any encoding that a spreadsheet writes."""

    def __init__(self, files: Files, name: str, encoding: str = "") -> None:
        notes = Changes()
        self._sheet = sheet.open_sheet(files.read_sheet(name), notes, name, encoding)
        self._header = find_header((one.fields for one in self._sheet.records()), name, notes)
        super().__init__(name, [column for column in self._header.columns if column], notes)
        told = ((one, fields) for one, fields in self._rows() if len(fields) == len(self._header.columns))
        note_unread(self._header, ((f"{name}:{one.line}", fields) for one, fields in told), notes)
        for one in (one for one in self._sheet.records() if one.stray_quote):
            notes.note("quotes that do not pair up, read as part of the text", f"{name}:{one.line}")

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        for one, fields in self._rows():
            fault = one.error or self._miscounted(fields)
            yield Record(f"{self.name}:{one.line}", one.line, self._header.cells(fields), error=fault)

    def _rows(self) -> Iterator[tuple[sheet.Record, list[str]]]:
        for index, one in enumerate(self._sheet.records()):
            if index > self._header.row and any(map(tidy, one.fields)):
                yield one, self._fields(one.fields)

    def _fields(self, fields: list[str]) -> list[str]:
        """Without the separators at the end, and filled up where a spreadsheet left them out."""
        width = len(self._header.columns)
        while len(fields) > width and not tidy(fields[-1]):
            fields = fields[:-1]
        named = max(index for index, column in enumerate(self._header.columns, 1) if column)
        return fields + [""] * (width - len(fields)) if len(fields) >= named else fields

    def _miscounted(self, fields: list[str]) -> str:
        width = len(self._header.columns)
        return "" if len(fields) == width else f"{len(fields)} fields, the header names {width}"
