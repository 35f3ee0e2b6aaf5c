"""Which column is what, and where the rest lies: read from a file of TOML, and written to one."""

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import tomli

from components.catalogue.importing.columns.words import ROLES
from components.catalogue.reading.errors import CatalogueError

_HEAD = """\
# How `lookbook import` read {source}. Change what is wrong, and give it again: lookbook import … --mapping {name}
# A column is named as the sheet names it; "Category[1]" is the first part of a path like "Clothing > Shirts", and
# "Category[-1]" the last; "Category[/1]" is the first of "Clothing/Shirts", "[|1]" of "Clothing|Shirts", "[,1]" of
# "Clothing,Shirts", "[>1]" of "Clothing > Shirts, Sale".
# "" is for what has no column; a role that is left out is guessed.
"""


@dataclass(frozen=True)
class Mapping:
    """How a source is read.

    Attributes:
        sheets: names of its sheets, relative to it; empty: those that are found, or class folders.
        encoding: of sheets of text; empty: by their bytes.
        pictures: folder or zip with the pictures; empty: the source itself.
        taxonomy: a CSV that tells the upper levels of each article type; empty for none.
        fetch: whether pictures are fetched from their URLs.
        columns: role → column; "" for a role that has none.
    """

    sheets: tuple[str, ...] = ()
    encoding: str = ""
    pictures: str = ""
    taxonomy: str = ""
    fetch: bool = False
    columns: dict[str, str] = field(default_factory=dict)

    def with_given(self, given: "Mapping") -> "Mapping":
        """What is given counts; the rest is as here."""
        named = {one.name: getattr(given, one.name) for one in fields(given) if getattr(given, one.name)}
        return replace(self, **{**named, "columns": {**self.columns, **given.columns}})

    def as_toml(self, source: str, name: str) -> str:
        """The text of a file that :func:`read_mapping` reads."""
        # A JSON text without escapes of surrogates is a TOML text, and so is a list of them.
        settings = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "columns"}
        lines = [f"{key} = {_toml(value)}" for key, value in settings.items() if value]
        columns = [f"{role} = {_toml(self.columns.get(role, ''))}" for role in ROLES]
        return "\n".join([_HEAD.format(source=_toml(source), name=name), *lines, "", "[columns]", *columns, ""])


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file; paths in it are relative to that file's folder.

    Raises:
        CatalogueError: it is no TOML, or says what no mapping says.
    """
    try:
        document = tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise CatalogueError(f"{path} is no mapping: {error}") from error
    known = [one.name for one in fields(Mapping)]
    unknown = [key for key in document if key not in known] + [
        f"columns.{role}" for role in _table(path, document) if role not in ROLES
    ]
    if unknown:
        raise CatalogueError(
            f"{path} says {', '.join(unknown)}, which no mapping has; it has {', '.join(known)}, and as columns "
            f"{', '.join(ROLES)}"
        )
    for key, value in document.items():
        _require(path, key, value)
    near = {key: str(path.parent / document[key]) for key in ("pictures", "taxonomy") if document.get(key)}
    return Mapping(**{**document, **near, "sheets": tuple(document.get("sheets", ()))})


def _table(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    columns = document.get("columns", {})
    if not isinstance(columns, dict) or not all(isinstance(column, str) for column in columns.values()):
        raise CatalogueError(f'{path}: [columns] has lines like articleType = "Product type"')
    return columns


def _require(path: Path, key: str, value: Any) -> None:
    kinds: dict[str, type] = {"sheets": list, "fetch": bool, "columns": dict}
    kind = kinds.get(key, str)
    if not isinstance(value, kind) or (isinstance(value, list) and not all(isinstance(one, str) for one in value)):
        raise CatalogueError(f"{path}: {key} is {value!r}; it must be a {kind.__name__}")


def _toml(value: Any) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")
