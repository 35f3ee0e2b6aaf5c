"""The sheet of ``--names``: what the products of the pictures are called, read as a catalogue's sheet is."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from components.catalogue.reading.cells import id_of, is_empty, tidy, without_entities
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.sheet import Record, open_sheet
from schema import names
from schema.product_names import MOST_CHARACTERS

KEYS: Final = ("file", names.ID)
"""Columns that tell whose name it is, the first that there is: a file, with or without its folders and suffix."""

NAMES: Final = ("name", names.PRODUCT_NAME)
"""Columns that hold the name, the first that there is."""

_PACKED: Final = b"PK\3\4"
_MOST_SHOWN: Final = 120


def read_names(sheet: Path, changes: Changes) -> dict[str, str]:
    """Key → name, of each row of a CSV that has both; a name is cut where servers take no more of it.

    Args:
        sheet: any separator, and any encoding that a spreadsheet writes.
        changes: what was read otherwise than it is written, and what was not read.

    Raises:
        CatalogueError: it lacks a column, cannot be read, or has two names for one key.
    """
    content = sheet.read_bytes()
    if content.startswith(_PACKED):
        raise CatalogueError(f"{sheet} is a spreadsheet's own file, or a zip; save it as CSV in UTF-8")
    opened = open_sheet(content, changes, str(sheet))
    records = opened.records()
    header = [tidy(field) for field in next(records).fields]
    key, name = (_column(sheet, header, wanted) for wanted in (KEYS, NAMES))
    found: dict[str, str] = {}
    for record in records:
        fields = _fields(record, len(header), name, opened.separator)
        if not fields:
            changes.note(
                "row of the names that cannot be read, not heard",
                f"line {record.line}: {str(record.fields)[:_MOST_SHOWN]}",
            )
            continue
        written, what = fields[key].strip(), _name(fields[name])
        whose = id_of(written) if header[key].casefold() == names.ID else written
        if what and not whose:
            changes.note("name of nobody, not heard", f"line {record.line}: {what!r}")
        elif what and found.setdefault(whose, what) != what:
            raise CatalogueError(f"{sheet} has two names for {whose!r}, in line {record.line}; one is right")
    if not found:
        changes.note("sheet without any name, nothing heard", f"column {header[name]!r}")
    return found


def _fields(record: Record, width: int, name: int, separator: str) -> list[str]:
    """As many as the header has; none where they cannot be told. Separators too many are part of the name."""
    fields = list(record.fields)
    while len(fields) > width and not fields[-1].strip():
        fields.pop()
    surplus = len(fields) - width
    if surplus > 0:
        fields[name : name + surplus + 1] = [separator.join(fields[name : name + surplus + 1])]
    return [] if record.error or surplus < 0 else fields


def _name(text: str) -> str:
    return "" if is_empty(text) else unicodedata.normalize("NFC", without_entities(text)).strip()[:MOST_CHARACTERS]


def _column(sheet: Path, there: Iterable[str], wanted: tuple[str, ...]) -> int:
    columns = [_key(column) for column in there]
    for column in wanted:
        if _key(column) in columns:
            return columns.index(_key(column))
    raise CatalogueError(
        f"{sheet} has the columns {', '.join(there)}; one of {', '.join(wanted)} must be among them, and commas, "
        "semicolons or tabs between them"
    )


def _key(column: str) -> str:
    return "".join(letter for letter in column.casefold() if letter.isalnum())
