"""Labels that are numbers, whose names stand in a list beside the sheet."""

import itertools
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from components.catalogue.importing.columns.words import GENERIC, SYNONYMS, key
from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.table import Record, Reshaped, Table
from components.catalogue.importing.sources.text_sheets import counted_list
from components.catalogue.importing.sources.trees.keyed import names_picture
from components.catalogue.reading.cells import is_empty, label_of, tidy
from components.catalogue.reading.source import FileTooLarge
from schema import names

_NAMES: Final = ("classes", "classnames", "labels", "labelnames", "names", "categories", "categorynames")
_TEXTS: Final = (".txt", ".names")
_WHOLE: Final = re.compile(r"(\d{1,9})(?:\.0+)?")
_WITH_NUMBER: Final = re.compile(r"(\d{1,9})(?:\s*[,;:=\t]\s*|\s+)(.*\S)")
_ENDS: Final = re.compile(r"(?:id|idx|index|label|no|nr|number)$")
_LABELS: Final = frozenset((key(names.ARTICLE_TYPE_LABEL), *SYNONYMS[names.ARTICLE_TYPE_LABEL], *GENERIC))
_MOST_BYTES: Final = 1 << 20


def with_names(table: Table, files: Files, given: str) -> Table:
    """The table; with the names of classes where a list beside it tells them of a column of numbers.

    Args:
        table: as it is.
        files: of the source.
        given: the column of the article type, if a person has named it.
    """
    found: dict[str, Mapping[str, str]] = {}
    columns = [one for one in table.columns if one == given or _is_label(one)]
    lists = _lists(table, files) if columns else {}
    for column in columns if lists else ():
        told = {file: named for file, one in lists.items() if (named := _named(table, column, one))}
        if len({tuple(one.items()) for one in told.values()}) == 1:
            file, found[column] = next(iter(told.items()))
            shown = ", ".join(f"{number} → {name}" for number, name in itertools.islice(found[column].items(), 3))
            table.notes.note("numbers of classes, read as the names beside them", f"{column} by {file}: {shown}")
    return _Named(table, found) if found else table


def are_numbers(texts: Sequence[str]) -> bool:
    """Whether labels are whole numbers alone."""
    return bool(texts) and all(_WHOLE.fullmatch(text) for text in texts)


class _Named(Reshaped):
    """A table in which numbers are the names of their classes."""

    def __init__(self, table: Table, named: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(table, table.columns)
        self._names = named

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        for record in self._table.records():
            told = {
                column: of.get(_plain(record.cells.get(column, "")), record.cells.get(column, ""))
                for column, of in self._names.items()
            }
            yield replace(record, cells={**record.cells, **told})


def _is_label(column: str) -> bool:
    return key(column) in _LABELS or _ENDS.sub("", key(column)) in _LABELS


def _plain(text: str) -> str:
    found = _WHOLE.fullmatch(tidy(text))
    return str(int(found[1])) if found else ""


def _lists(table: Table, files: Files) -> dict[str, list[str]]:
    """File → its lines, of those beside the sheet or above it that may list names."""
    folders = {""}
    folder = table.folder
    while folder:
        folders.add(folder)
        folder = posixpath.dirname(folder)
    found = {}
    for name in (one for one in files.names if one.rpartition("/")[0] in folders and _is_list(one)):
        try:
            found[name] = files.read(name, _MOST_BYTES).decode("utf-8-sig").splitlines()
        except (FileTooLarge, OSError, UnicodeDecodeError, zipfile.BadZipFile):  # noqa: PERF203 - a few files
            continue  # it is a courtesy; without it, numbers are labels, and told
    return found


def _is_list(name: str) -> bool:
    stem = key(PurePosixPath(name).stem)
    return name.lower().endswith(_TEXTS) and (stem in _NAMES or stem.startswith("list"))


def _named(table: Table, column: str, lines: Sequence[str]) -> dict[str, str]:
    """Number → name as a list tells it; none where it does not tell all, or they may begin with 0 and with 1 alike."""
    listed = _listed(column, lines)
    cells = (record.cells.get(column, "") for record in table.records() if not record.error) if listed else ()
    numbers: set[str] = set()
    for text in (text for text in cells if not is_empty(text)):
        if not (number := _plain(text)):
            return {}
        numbers.add(number)
    if not numbers:
        return {}
    of, highest = set(map(int, numbers)), max(map(int, numbers))
    if isinstance(listed, dict):
        told = listed
    elif min(of) == 0:
        told = dict(enumerate(listed))
    else:
        told = dict(enumerate(listed, 1)) if highest == len(listed) else {}
    return {str(number): name for number, name in told.items()} if of <= told.keys() else {}


def _listed(column: str, lines: Sequence[str]) -> list[str] | dict[int, str]:
    """The names in their order, or by the numbers before them; none where lines are no names, or one comes twice."""
    if counted := counted_list(lines):
        columns, rows = counted  # of a kind of its own, as ``category_name`` beside ``category_label``
        same = columns[0].split("_")[0].casefold() == column.split("_")[0].casefold()
        listed = [label_of(row[0]) for row in rows] if same and len(columns) > 1 else []
        return dict(enumerate(listed, 1)) if _are_names(listed) else []
    plain = [label_of(line) for line in lines if line.strip()]
    numbered = [_WITH_NUMBER.fullmatch(line.strip()) for line in lines if line.strip()]
    if all(numbered):
        told = {int(one[1]): label_of(one[2]) for one in numbered if one}
        return told if len(told) == len(numbered) and _are_names(list(told.values())) else []
    return plain if _are_names(plain) else []


def _are_names(listed: Sequence[str]) -> bool:
    is_told = all(name and not (_WHOLE.fullmatch(name) or names_picture(name)) for name in listed)
    return len(listed) > 1 and is_told and len(set(listed)) == len(listed)
