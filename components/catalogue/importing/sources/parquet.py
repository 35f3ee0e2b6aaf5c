"""Parquet as a table, also with pictures inside, as Hugging Face stores them."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from components.catalogue.importing.sources.documents import MANY, flat
from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.hugging_face import classes_of, told_classes
from components.catalogue.importing.sources.table import MAX_COLUMNS, Record, Table
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.errors import CatalogueError

_BATCH: Final = 64  # rows; pictures among them are held in memory


class ParquetTable(Table):
    """A file of Parquet; a column of structs with ``bytes`` holds pictures."""

    def __init__(self, files: Files, name: str) -> None:
        import pyarrow as arrow
        from pyarrow.parquet import ParquetFile

        self._files = files
        try:
            with files.open_sheet(name) as file:
                schema = ParquetFile(file).schema_arrow
        except (arrow.ArrowException, OSError) as error:
            raise CatalogueError(f"{name} cannot be read as Parquet: {error}") from error
        if len(schema.names) > MAX_COLUMNS:
            raise CatalogueError(f"{name} has {len(schema.names):,} columns; at most {MAX_COLUMNS:,} are read")
        if twice := [one for one, count in Counter(schema.names).items() if count > 1]:
            raise CatalogueError(f"{name} names a column twice: {', '.join(map(repr, twice))}; leave the right one")
        self._labels = {**told_classes(files), **_class_labels(schema)}
        self._embedded = [field.name for field in schema if _holds_pictures(field.type)]
        super().__init__(name, [column for field in schema for column in self._columns(field)])
        for field in schema:
            if field.name in self._embedded and _is_list(field.type):
                self.notes.note("pictures in one cell, of which the first is taken", field.name)

    @property
    def embedded_columns(self) -> list[str]:
        """See :meth:`Table.embedded_columns`."""
        return [tidy(column) for column in self._embedded]

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`."""
        import pyarrow as arrow
        from pyarrow.parquet import ParquetFile

        line = 0
        with self._files.open_sheet(self.name) as file:
            try:
                for batch in ParquetFile(file).iter_batches(_BATCH):
                    for row in batch.to_pylist():
                        line += 1
                        yield self._record(line, row)
            except (arrow.ArrowException, OSError) as error:
                raise CatalogueError(f"{self.name} cannot be read as Parquet after row {line:,}: {error}") from error

    def _columns(self, field: Any) -> list[str]:
        import pyarrow.types as types

        if field.name in self._embedded or not types.is_struct(field.type):
            return [tidy(field.name)]
        return [tidy(f"{field.name}.{inner.name}") for inner in field.type]

    def _record(self, line: int, row: dict[str, Any]) -> Record:
        embedded, plain = {}, {}
        for column, value in row.items():
            if column in self._embedded:
                plain[column], content = _text_and_picture(value)
                if content:
                    embedded[tidy(column)] = content
            else:
                plain[column] = self._label(column, value)
        return Record(f"{self.name}, row {line}", line, dict(flat(plain)), embedded=embedded)

    def _label(self, column: str, value: Any) -> Any:
        """Hugging Face stores a class as its number, and the names beside the data."""
        names = self._labels.get(column)
        if names and isinstance(value, int):
            return names[value] if 0 <= value < len(names) else None
        return value


def _text_and_picture(value: Any) -> tuple[str, bytes]:
    """Bytes that are a text are one: some tools write texts so, and no picture is UTF-8. Of a list the first one."""
    if isinstance(value, list):
        told = [_text_and_picture(one) for one in value]
        return MANY.join(text for text, _ in told if text), next((content for _, content in told if content), b"")
    if isinstance(value, dict):
        return value.get("path") or "", value["bytes"] or b""
    try:
        return (value or b"").decode("utf-8"), b""
    except UnicodeDecodeError:
        return "", value


def _holds_pictures(kind: Any) -> bool:
    import pyarrow.types as types

    if _is_list(kind):
        return _holds_pictures(kind.value_type)
    if types.is_struct(kind):
        return any(field.name == "bytes" and _holds_pictures(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _is_list(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _class_labels(schema: Any) -> dict[str, list[str]]:
    """Column → names of its classes, as the file's own note tells them."""
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return classes_of(told.get("info", {}).get("features", {}))
    except (ValueError, AttributeError, KeyError, TypeError):
        return {}  # the note is a courtesy of another tool; without it, numbers are labels
