"""JSON lines and JSON as tables; nested objects become columns with a dot."""

import json
import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, Final

from components.catalogue.importing.literals import of_json, of_python_or_none, texts_of
from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.table import MAX_COLUMNS, Listed, Record, Table
from components.catalogue.importing.sources.trees.keyed import keyed
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError

MOST_DEPTH: Final = 6  # of objects in objects; what lies deeper is a text
MANY: Final = " | "  # between the members of a list
IS_OF_CATEGORIES: Final = re.compile(r"[ck]ateg|breadcrumb|taxonom", re.IGNORECASE)
"""Names of lists that may be paths: whether they are, all rows together show, so each stays a list until then."""


def json_lines(files: Files, name: str) -> Table:
    """A file with an object a line.

    Raises:
        CatalogueError: it is no text, or has no object at all.
    """
    text = _decoded(files.read_sheet(name), name)
    lines = enumerate(text.split("\n"), 1)  # not splitlines: Unicode has ends inside of texts
    notes = Changes()
    records = [_record(f"{name}:{at}", at, line, notes) for at, line in lines if line.strip()]
    if all(record.error for record in records) and (document := _document(text)):
        return json_table(name, document)
    return listed(name, records, notes)


def json_table(name: str, document: Any, notes: Changes | None = None, stems: Collection[str] = ()) -> Table:
    """An array of objects, or an object that holds one.

    Args:
        name: of the file.
        document: what it holds.
        notes: of how it was read.
        stems: names of the pictures, in small letters, by which an object may name its objects.

    Raises:
        CatalogueError: it is neither.
    """
    rows = document if isinstance(document, list) else only_list(document) or keyed(document, stems)
    if not isinstance(rows, list) or not any(isinstance(row, dict) for row in rows):
        raise CatalogueError(
            f"{name} is neither a list of objects, nor one by their keys, nor COCO (images, annotations, categories)"
        )
    return listed(name, [as_record(f"{name}, object {at}", at, row) for at, row in enumerate(rows, 1)], notes)


def read_json(files: Files, name: str, notes: Changes | None = None) -> Any:
    """The document of a JSON file; of JSON lines, which many tools call so too, their list.

    Args:
        files: of the source.
        name: of the file.
        notes: of lines that are Python's.

    Raises:
        CatalogueError: it is none.
    """
    text = _decoded(files.read_sheet(name), name)
    try:
        return of_json(text)
    except (ValueError, RecursionError) as error:
        if objects := _objects_of_lines(text, name, notes or Changes()):
            return objects
        raise CatalogueError(f"{name} is no JSON: {error}") from error


def _objects_of_lines(text: str, name: str, notes: Changes) -> list[Any]:
    """What each line holds; nothing if one of them is neither JSON nor Python's."""
    lines = enumerate(text.split("\n"), 1)
    try:
        return [_of_line(line, f"{name}:{at}", notes) for at, line in lines if line.strip()]
    except (ValueError, RecursionError):
        return []


def _of_line(text: str, place: str, notes: Changes) -> Any:
    """What a line of JSON holds, or one that Python has printed in its place.

    Raises:
        ValueError, RecursionError: it is neither.
    """
    try:
        return of_json(text)
    except (ValueError, RecursionError):
        if not (value := of_python_or_none(text)):
            raise
    notes.note("line as Python writes it, which is no JSON", place)
    return value


def _document(text: str) -> Any:
    """A JSON document under the name of JSON lines; None where it is none."""
    try:
        return of_json(text)
    except (ValueError, RecursionError):
        return None


def text_of(value: Any) -> str:
    """A value as the text of a cell.

    Raises:
        ValueError: JSON can write what is no text: half of a surrogate pair.
    """
    text = _text_of(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{text[:40]!a} holds half of a surrogate pair, which is no character") from error
    return text


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return whole_number(value)
    if isinstance(value, list):
        return MANY.join(filter(None, map(text_of, value)))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def whole_number(value: float) -> str:
    """The digits that were written: what a float of very many holds behind them was never there."""
    return format(Decimal(repr(value)), ".0f")


def flat(value: dict[str, Any], before: str = "", depth: int = MOST_DEPTH) -> Iterator[tuple[str, str]]:
    """Column and text of each value of an object, nested ones as ``outer.inner``; of a list of objects side by side."""
    for key, inner in value.items():
        column = text_of(tidy(f"{before}{key}"))
        if isinstance(inner, dict) and depth > 1:
            yield from flat(inner, f"{column}.", depth - 1)
        elif isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner) and depth > 1:
            yield from flat(_side_by_side(inner), f"{column}.", depth - 1)
        elif IS_OF_CATEGORIES.search(str(key)) and texts_of(inner):
            yield column, text_of(json.dumps(inner, ensure_ascii=False))
        else:
            yield column, text_of(inner)


def _side_by_side(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Key → the values of all of them: one where they have the same."""
    keys = dict.fromkeys(key for one in objects for key in one)
    values = {key: [one[key] for one in objects if key in one] for key in keys}
    return {key: of[0] if all(one == of[0] for one in of) else _beside(of) for key, of in values.items()}


def _beside(values: list[Any]) -> Any:
    """What several objects tell is no path, by whatever name."""
    return MANY.join(filter(None, values)) if all(isinstance(one, str) for one in values) else values


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{name} is not UTF-8, which JSON must be: {error}") from error


def only_list(document: Any) -> Any:
    """The one list of objects that an object holds; None where there is none, or several."""
    values = document.values() if isinstance(document, dict) else ()
    lists = [value for value in values if isinstance(value, list) and any(isinstance(one, dict) for one in value)]
    return lists[0] if len(lists) == 1 else None


def _record(place: str, line: int, text: str, notes: Changes) -> Record:
    try:
        return as_record(place, line, _of_line(text, place, notes))
    except (ValueError, RecursionError) as error:
        return Record(place, line, {}, error=f"no JSON: {error}")


def as_record(place: str, line: int, value: Any) -> Record:
    """The row of an object; what is none, or no text, is its error."""
    if not isinstance(value, dict):
        return Record(place, line, {}, error=f"no object but {json.dumps(value)[:40]}")
    try:
        return Record(place, line, dict(flat(value)))
    except ValueError as error:
        return Record(place, line, {}, error=str(error))


def listed(name: str, records: list[Record], notes: Changes | None = None) -> Table:
    """The table of such rows.

    Raises:
        CatalogueError: there are none, or too many columns.
    """
    columns = list(dict.fromkeys(column for record in records for column in record.cells))
    if not columns:
        first = f": {records[0].place} is {records[0].error}" if records else ""
        raise CatalogueError(f"{name} holds no object{first}; each line must be one, or the file a list of objects")
    if len(columns) > MAX_COLUMNS:
        raise CatalogueError(f"{name} has {len(columns):,} columns; at most {MAX_COLUMNS:,} are read")
    return Listed(name, columns, records, notes)
