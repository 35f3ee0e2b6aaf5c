"""Corrections as a folder of files."""

import contextlib
import csv
import dataclasses
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from schema.corrections.correction import Correction, Corrections, CorrectionsError, LineFault, level_names
from schema.spreadsheets import inert, plain

CORRECTIONS_CSV: Final = "corrections.csv"
_BEFORE: Final = ("sha256", "picture", "id")
_AFTER: Final = ("decision", "answered", "by", "at", "release", "source")
_SEPARATORS: Final = ",;\t"


def write_corrections(folder: Path, decided: Iterable[tuple[Correction, bytes | None]]) -> int:
    """Writes a folder of corrections: the pictures first, the list last and in one piece.

    Args:
        folder: made if need be; a list that is there is replaced, pictures that are there stay.
        decided: each with its picture's bytes, or None where it was not kept; asked for one by one.

    Returns:
        How many.

    Raises:
        CorrectionsError: bytes are not those of ``sha256``, or there is no name to write them to.
        OSError: the folder cannot be written to.
    """
    rows = []
    for correction, content in decided:
        if content is not None:
            _write_picture(folder, correction, content)
        rows.append(correction)
    _replace(folder / CORRECTIONS_CSV, _to_csv(rows).encode())
    return len(rows)


def read_corrections(folder: Path) -> Corrections:
    """Reads the list of a folder of corrections.

    Raises:
        CorrectionsError: it is no such list.
        OSError: it cannot be read.
    """
    file = folder / CORRECTIONS_CSV
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorrectionsError(f"{file} is not UTF-8: {error}; save it as UTF-8") from error
    return parse_corrections(text, str(file))


def parse_corrections(text: str, name: str = CORRECTIONS_CSV) -> Corrections:
    """Reads the text of a list of corrections.

    Raises:
        CorrectionsError: it has not the columns of one.
    """
    header = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=header.count), strict=True)
    columns = [column.strip() for column in next(_whole(rows, []), [])]
    missing = [column for column in ("decision", *level_names()) if column not in columns]
    if missing or not {"sha256", "id"} & {*columns} or len({*columns}) < len(columns):
        raise CorrectionsError(
            f"{name} is no list of corrections: it needs each of the columns {', '.join(_columns(()))} once, and has "
            f"{', '.join(columns) or 'none'}"
        )
    faults: list[LineFault] = []
    read = [_correction(columns, cells, rows.line_num) for cells in _whole(rows, faults) if any(cells)]
    faults = [one for one in read if isinstance(one, LineFault)] + faults
    return Corrections([one for one in read if isinstance(one, Correction)], faults)


def read_picture(folder: Path, correction: Correction) -> bytes:
    """The bytes of a correction's picture.

    Raises:
        CorrectionsError: they are not those that the decision was about.
        OSError: they are not there.
    """
    content = (folder / correction.picture).read_bytes()
    if hashlib.sha256(content).hexdigest() != correction.sha256:
        raise CorrectionsError(f"{correction.picture} was changed since: its SHA-256 is not the one in its name")
    return content


def _columns(attributes: Iterable[str]) -> list[str]:
    return [*_BEFORE, *level_names(), *attributes, *_AFTER]


def _to_csv(rows: Sequence[Correction]) -> str:
    attributes = list(dict.fromkeys(column for one in rows for column in one.attributes))
    text = io.StringIO()
    writer = csv.DictWriter(text, _columns(attributes), restval="", lineterminator="\n")
    writer.writeheader()
    for one in rows:
        cells = {column: getattr(one, column) for column in (*_BEFORE, *_AFTER)} | {**one.labels, **one.attributes}
        writer.writerow({column: inert(text) for column, text in cells.items()})
    return text.getvalue()


def _whole(rows: Iterator[list[str]], faults: list[LineFault]) -> Iterator[list[str]]:
    """The rows that the reader takes; it stops at one that it cannot, for what follows might be inside of a quote."""
    try:
        yield from rows
    except csv.Error as error:
        line = getattr(rows, "line_num", 0)
        faults.append(LineFault(line, f"{error}; this row and all that follow it were not read"))


def _correction(columns: Sequence[str], cells: Sequence[str], line: int) -> Correction | LineFault:
    try:
        return _from_cells(columns, cells)
    except CorrectionsError as error:
        return LineFault(line, str(error))


def _from_cells(columns: Sequence[str], cells: Sequence[str]) -> Correction:
    if len(cells) != len(columns):
        raise CorrectionsError(f"{len(cells)} fields, the header names {len(columns)}")
    said = {column: plain(cell.strip()) for column, cell in zip(columns, cells, strict=True) if column and cell.strip()}
    own = {one.name for one in dataclasses.fields(Correction)} & {*_BEFORE, *_AFTER}
    attributes = {column: text for column, text in said.items() if column not in own and column not in level_names()}
    labels = {head: said[head] for head in level_names() if head in said}
    return Correction(labels=labels, attributes=attributes, **{name: said[name] for name in own if name in said})


def _write_picture(folder: Path, correction: Correction, content: bytes) -> None:
    if not correction.picture:
        raise CorrectionsError(f"the picture {correction.sha256} has no name to be written to")
    if hashlib.sha256(content).hexdigest() != correction.sha256:
        raise CorrectionsError(f"the bytes given for {correction.picture} have another SHA-256")
    file = folder / correction.picture
    if not (file.is_file() and file.read_bytes() == content):
        _replace(file, content)


def _replace(file: Path, content: bytes) -> None:
    """Never half a file, whenever the process ends or the disk is full; its folder comes with the first one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".unfinished-")
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(handle)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
