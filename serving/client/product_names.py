"""Names of products out of a sheet, for the pictures that are asked about."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from schema import names
from schema.product_names import MOST_CHARACTERS

KEYS: Final = ("file", names.ID)
"""Columns that tell whose name it is, the first that there is: a file, with or without its folders and suffix."""

NAMES: Final = ("name", names.PRODUCT_NAME)
"""Columns that hold the name, the first that there is."""


def read_names(sheet: Path) -> dict[str, str]:
    """Key → name, of each row of a CSV file in UTF-8 that has both; a name is cut where servers take no more of it.

    Raises:
        ValueError: it lacks a column, is not UTF-8, or has two names for one key.
    """
    found: dict[str, str] = {}
    try:
        with sheet.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            key, name = (_column(sheet, rows.fieldnames or (), wanted) for wanted in (KEYS, NAMES))
            for row in rows:
                whose, what = (row[key] or "").strip(), (row[name] or "").strip()[:MOST_CHARACTERS]
                if whose and what and found.setdefault(whose, what) != what:
                    raise ValueError(f"{sheet} has two names for {whose!r}, in line {rows.line_num}; one is right")
    except UnicodeDecodeError as error:
        raise ValueError(f"{sheet} is not UTF-8; save it as CSV in UTF-8") from error
    return found


def names_of(files: Iterable[str], found: Mapping[str, str]) -> dict[str, str]:
    """File → its product's name, where it has one; the key is the file, or that without folders, or suffix."""
    keys = {file: (file, PurePosixPath(file).name, PurePosixPath(file).stem) for file in files}
    named = {file: next((found[key] for key in parts if key in found), "") for file, parts in keys.items()}
    return {file: name for file, name in named.items() if name}


def _column(sheet: Path, there: Iterable[str], wanted: tuple[str, ...]) -> str:
    columns = list(there)
    for column in wanted:
        if column in columns:
            return column
    raise ValueError(f"{sheet} has the columns {', '.join(columns)}; one of {', '.join(wanted)} must be among them")
