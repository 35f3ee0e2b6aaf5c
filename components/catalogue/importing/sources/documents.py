"""JSON lines and JSON as tables; nested objects become columns with a dot."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.table import MAX_COLUMNS, Listed, Record, Table
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.errors import CatalogueError
from schema.file_names import PICTURE_SUFFIXES
from schema.plain_json import with_each_key_once

MOST_DEPTH: Final = 6  # of objects in objects; what lies deeper is a text
MANY: Final = " | "  # between the members of a list


def json_lines(files: Files, name: str) -> Table:
    """A file with an object a line.

    Raises:
        CatalogueError: it is no text, or has no object at all.
    """
    text = _decoded(files.read_sheet(name), name)
    lines = enumerate(text.split("\n"), 1)  # not splitlines: Unicode has ends inside of texts
    records = [_record(f"{name}:{at}", at, line) for at, line in lines if line.strip()]
    if all(record.error for record in records) and (document := _document(text)):
        return json_table(name, document)
    return _listed(name, records)


def json_table(name: str, document: Any) -> Table:
    """An array of objects, or an object that holds one.

    Raises:
        CatalogueError: it is neither.
    """
    rows = document if isinstance(document, list) else only_list(document) or keyed(document)
    if not isinstance(rows, list) or not any(isinstance(row, dict) for row in rows):
        raise CatalogueError(
            f"{name} is neither a list of objects, nor one by their keys, nor COCO (images, annotations, categories)"
        )
    return _listed(name, [_object(f"{name}, object {at}", at, row) for at, row in enumerate(rows, 1)])


def read_json(files: Files, name: str) -> Any:
    """The document of a JSON file; of JSON lines, which many tools call so too, their list.

    Raises:
        CatalogueError: it is none.
    """
    text = _decoded(files.read_sheet(name), name)
    try:
        return _loaded(text)
    except (ValueError, RecursionError) as error:
        if objects := _objects_of_lines(text):
            return objects
        raise CatalogueError(f"{name} is no JSON: {error}") from error


def _loaded(text: str) -> Any:
    return json.loads(text, object_pairs_hook=with_each_key_once)


def _objects_of_lines(text: str) -> list[Any]:
    """What each line holds; nothing if one of them is no JSON."""
    try:
        return [_loaded(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return []


def _document(text: str) -> Any:
    """A JSON document under the name of JSON lines; None where it is none."""
    try:
        return _loaded(text)
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
        else:
            yield column, text_of(inner)


def _side_by_side(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Key → the values of all of them: one where they have the same."""
    keys = dict.fromkeys(key for one in objects for key in one)
    values = {key: [one[key] for one in objects if key in one] for key in keys}
    return {key: of[0] if all(one == of[0] for one in of) else of for key, of in values.items()}


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


def keyed(document: Any) -> Any:
    """The objects that an object holds by their keys, each with its ``key``; None where it holds none of pictures.

    They may lie one object deeper, if they do so in one place alone.
    """
    if not isinstance(document, dict):
        return None
    found = [one for one in (document, *document.values()) if _are_alike(one)]
    return [{"key": key, **value} for key, value in found[0].items()] if len(found) == 1 else None


def _are_alike(document: Any) -> bool:
    """Whether an object holds objects alone, of a picture each, which have most of their own keys in common.

    Numbers are keys of rows, below those of columns.
    """
    values = list(document.values()) if isinstance(document, dict) else []
    if len(values) < 2 or not all(isinstance(one, dict) for one in values):
        return False
    keys = set.union(*map(set, values))
    of_pictures = sum(any(_names_picture(text) for text in (key, *one.values())) for key, one in document.items())
    return (
        2 * of_pictures > len(values)
        and 2 * len(set.intersection(*map(set, values))) > len(keys)
        and not all(map(str.isdigit, keys))
    )


def _names_picture(text: Any) -> bool:
    return isinstance(text, str) and any(suffix in text.lower() for suffix in PICTURE_SUFFIXES)


def json_documents(files: Files, documents: Sequence[str]) -> Table:
    """Files of an object each, as a table.

    Raises:
        CatalogueError: one is no JSON, or none is an object.
    """
    folder = documents[0].rpartition("/")[0]
    return _listed(f"{folder or '.'}/*.json", [_object(name, 1, read_json(files, name)) for name in documents])


def _record(place: str, line: int, text: str) -> Record:
    try:
        return _object(place, line, _loaded(text))
    except (ValueError, RecursionError) as error:
        return Record(place, line, {}, error=f"no JSON: {error}")


def _object(place: str, line: int, value: Any) -> Record:
    if not isinstance(value, dict):
        return Record(place, line, {}, error=f"no object but {json.dumps(value)[:40]}")
    try:
        return Record(place, line, dict(flat(value)))
    except ValueError as error:
        return Record(place, line, {}, error=str(error))


def _listed(name: str, records: list[Record]) -> Table:
    columns = list(dict.fromkeys(column for record in records for column in record.cells))
    if not columns:
        first = f": {records[0].place} is {records[0].error}" if records else ""
        raise CatalogueError(f"{name} holds no object{first}; each line must be one, or the file a list of objects")
    if len(columns) > MAX_COLUMNS:
        raise CatalogueError(f"{name} has {len(columns):,} columns; at most {MAX_COLUMNS:,} are read")
    return Listed(name, columns, records)
