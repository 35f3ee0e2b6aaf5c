"""The ids of rows, as names of files; and what is decided when all rows are there: which of two that share one."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from components.catalogue.importing.pictures import Kind, Located, folded
from components.catalogue.importing.wanted import Rows, Wanted
from components.catalogue.reading.cells import tidy
from components.catalogue.reading.findings import Reason
from schema import names

_NO_FILE_NAME: Final = re.compile(r'[/\\:*?"<>|\x00-\x1f\ud800-\udfff]')
_LONGEST_ID: Final = 100  # characters; names of files have an end


def file_name(row_id: str) -> str:
    """An id that can be the name of a file; what it cannot hold becomes an underscore."""
    plain = _NO_FILE_NAME.sub("_", row_id)
    plain = f"_{plain[1:]}" if plain.startswith(".") else plain
    if len(plain) <= _LONGEST_ID:
        return plain
    return f"{plain[: _LONGEST_ID - 9]}-{hashlib.sha256(row_id.encode()).hexdigest()[:8]}"


def name_by_picture(rows: Rows) -> None:
    """Gives rows without an id the name of their picture, or its whole path where names come more than once."""
    pictures = {row.picture for row in rows.wanted}
    stems = Counter(folded(picture.stem) for picture in pictures)
    is_told = all(count == 1 for count in stems.values())
    for row in rows.wanted:
        row.cells[names.ID] = file_name(tidy(row.picture.stem if is_told else _whole_name(row)))
    _tell_apart(rows.wanted)
    if rows.wanted:
        way = "its picture's name" if is_told else "its picture's path, for names come more than once"
        rows.changes.note(f"id that is {way}", f"{rows.wanted[0].place}: {rows.wanted[0].id!r}")


def _tell_apart(rows: Sequence[Wanted]) -> None:
    """Adds to ids that were made, and are of different pictures, what these differ in: ``1.jpg`` beside ``1.png``."""
    pictures: dict[str, set[Located]] = {}
    for row in rows:
        pictures.setdefault(folded(row.id), set()).add(row.picture)
    for row in rows:
        if len(pictures[folded(row.id)]) > 1:
            digest = hashlib.sha256(row.picture.where.encode("utf-8", "surrogateescape")).hexdigest()
            row.cells[names.ID] = f"{row.id}-{digest[:8]}"


def _whole_name(row: Wanted) -> str:
    picture = row.picture
    if picture.kind is Kind.FILE:
        return "_".join(PurePosixPath(picture.where).with_suffix("").parts)
    if picture.kind is Kind.URL:
        return f"{picture.stem}-{hashlib.sha256(picture.where.encode()).hexdigest()[:8]}"
    return f"{picture.stem}-{row.line:06d}"


def keep_first_of_each_id(rows: Rows) -> None:
    """Rejects rows of an id that an earlier row has."""
    first: dict[str, Wanted] = {}
    for row in rows.wanted:
        before = first.setdefault(row.id, row)
        if before is not row:
            detail = f"an earlier row, {before.place}, has this id; the first one is taken"
            rows.reject(row, Reason.DUPLICATE_ID, detail)
    rows.wanted = list(first.values())


def keep_pictures_of_variants(rows: Rows) -> None:
    """Rejects variants that have the picture of their product, or of another variant, and tell nothing more."""
    first: dict[Located, Wanted] = {}
    for row in sorted(rows.wanted, key=lambda row: bool(row.parent)):
        before = first.setdefault(row.picture, row)
        if before is not row and row.parent:
            rows.reject(row, Reason.FURTHER_ROW, f"of the product in {row.parent}, with the picture of {before.place}")
    rows.wanted = [row for row in rows.wanted if not row.parent or first[row.picture] is row]


def note_shared_pictures(rows: Rows) -> None:
    """Notes pictures that several rows have."""
    first: dict[Located, Wanted] = {}
    for row in rows.wanted:
        before = first.setdefault(row.picture, row)
        if before is not row and row.picture.kind is not Kind.CELL:
            rows.changes.note("picture of more than one row", f"{row.picture.where}: ids {before.id!r} and {row.id!r}")
