"""Decisions of people in any of the forms in which Lookbook leaves them."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.rows import parse_rows
from schema import corrections as decided
from schema import heads as table
from schema import names
from schema.corrections import Correction, CorrectionsError
from schema.file_names import is_of_a_system
from schema.plain_json import parsed
from schema.spreadsheets import plain

_PAGE_JSON: Final = ("articleType", "checked", "answer")


@dataclass(frozen=True)
class Offered:
    """One decision, and where it comes from.

    Attributes:
        correction: the decision.
        where: the file that it stands in.
        picture: reads its picture; None where there is none.
    """

    correction: Correction
    where: str
    picture: Callable[[], bytes] | None = None


@dataclass
class Reading:
    """What the files hold: decisions, and (file, why) of each row that is none."""

    offered: list[Offered] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)


def read_offered(path: Path) -> Reading:
    """Reads a folder of corrections, a page's export (CSV or JSON), or the decisions of an audit.

    Raises:
        CorrectionsError: it is none of these.
        OSError: it cannot be read.
    """
    file = _file_of(path)
    if file.suffix.lower() == ".json":
        return _page_json(file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorrectionsError(f"{file} is not UTF-8: {error}; save it as UTF-8") from error
    header = {column.strip(' "') for column in text.partition("\n")[0].strip().split(_separator(text))}
    if {"suggested", "column", "decision"} <= header:
        return _audit(file, text)
    if "decision" in header:
        return of_list(decided.parse_corrections(text, str(file)), file, partial(decided.read_picture, file.parent))
    return _page_csv(file)


def of_list(found: decided.Corrections, file: Path | str, read: Callable[[Correction], bytes] | None = None) -> Reading:
    """A list of corrections, with what reads the picture of each."""
    return Reading(
        [Offered(one, str(file), partial(read, one) if read and one.picture else None) for one in found.taken],
        [(f"{file}, line {fault.line}", fault.detail) for fault in found.faults],
    )


def _file_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in (decided.CORRECTIONS_CSV, names.STYLES_CSV):
        if (path / name).is_file():
            return path / name
    raise CorrectionsError(
        f"{path} has neither {decided.CORRECTIONS_CSV} nor {names.STYLES_CSV}; give a folder of corrections, what the "
        "page exported, or the decisions of an audit"
    )


def _audit(file: Path, text: str) -> Reading:
    reading, rows = Reading(), csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        for row in rows:
            given = {(column or "").strip(): cell for column, cell in row.items() if not isinstance(cell, list)}
            cells = {column: plain((cell or "").strip()) for column, cell in given.items()}
            if missing := sorted({"id", "label"} - cells.keys()):
                raise CorrectionsError(f"{file} has no column {missing[0]}, which the decisions of an audit have")
            _take_audited(reading, f"{file}, line {rows.line_num}", cells)
    except csv.Error as error:
        where = f"{file}, line {rows.line_num}"
        reading.faults.append((where, f"{error}; this row and all that follow it were not read"))
    return reading


def _take_audited(reading: Reading, where: str, cells: Mapping[str, str]) -> None:
    if not cells["decision"]:
        return  # nobody has decided it yet
    decision = decided.ACCEPTED if cells["decision"] == cells["label"] else decided.CORRECTED
    make = partial(_of_columns, {cells["column"]: cells["decision"]}, id=cells["id"], decision=decision)
    _take(reading, where, make, source=decided.AUDIT)


def _page_csv(file: Path) -> Reading:
    """The page's styles.csv: it does not say who looked at what, so each row counts."""
    try:
        rows = parse_rows(file.read_bytes())
    except CatalogueError as error:
        what = str(error).replace(names.STYLES_CSV, "it", 1)  # which is what it is read as
        raise CorrectionsError(f"{file} is no list of corrections: {what}") from error
    reading = Reading(faults=[(f"{file}, line {one.line}", one.detail) for one in rows.rejected])
    pictures = _pictures_beside(file)
    for row in rows.taken:
        make = partial(_of_columns, row.cells, id=row.id, decision=decided.CORRECTED)
        _take(reading, f"{file}, line {row.line}", make, pictures.get(row.id), source=decided.PAGE)
    return reading


def _page_json(file: Path) -> Reading:
    try:
        entries = parsed(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CorrectionsError(f"{file} is no JSON: {error}") from error
    is_list = isinstance(entries, list)
    if not is_list or not all(isinstance(one, dict) and one.keys() >= {*_PAGE_JSON} for one in entries):
        raise CorrectionsError(f"{file} is not what the page exports: a list of answers with {', '.join(_PAGE_JSON)}")
    reading, pictures = Reading(), _pictures_beside(file)
    for number, entry in enumerate(entries, 1):
        where = f"{file}, entry {number}"
        if not entry["checked"]:
            reading.faults.append((where, "nobody checked this answer; it is none of your corrections"))
            continue
        _take(reading, where, partial(_of_page, entry), pictures.get(str(entry.get("id"))), source=decided.PAGE)
    return reading


def _of_page(entry: Mapping[str, Any], **more: Any) -> Correction:
    answer = entry["answer"] if isinstance(entry["answer"], dict) else {}
    path = answer.get("path")
    columns = {column: text for column, text in entry.items() if isinstance(text, str)}
    return _of_columns(
        columns,
        id=str(entry.get("id", "")),
        decision=decided.CORRECTED if entry.get("corrected") else decided.ACCEPTED,
        answered=decided.PATH_SEPARATOR.join(map(str, path if isinstance(path, list) else ())),
        release=str(answer.get("release", "")),
        **more,
    )


def _of_columns(columns: Mapping[str, str], **more: Any) -> Correction:
    """A correction by the columns of ``styles.csv`` that it tells."""
    labels = {head.name: columns[head.column] for head in table.taxonomy() if columns.get(head.column)}
    attributes = {head.column: columns[head.column] for head in table.attributes() if columns.get(head.column)}
    return Correction(labels=labels, attributes=attributes, **more)


def _take(
    reading: Reading, where: str, make: Callable[..., Correction], picture: Path | None = None, **more: Any
) -> None:
    try:
        if picture:
            sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
            more |= {"sha256": sha256, "picture": decided.picture_name(sha256, picture.suffix[1:])}
        reading.offered.append(Offered(make(**more), where, picture.read_bytes if picture else None))
    except (CorrectionsError, OSError) as error:
        reading.faults.append((where, str(error)))


def _pictures_beside(file: Path) -> dict[str, Path]:
    """Id → picture, where the page says that they go: into ``images/`` beside the export."""
    return {picture.stem: picture for picture in _files(file.parent / names.IMAGES_DIR)}


def _files(folder: Path) -> Iterator[Path]:
    found: Iterable[Path] = sorted(folder.iterdir()) if folder.is_dir() else ()
    yield from (one for one in found if one.is_file() and not is_of_a_system([one.name]) and one.suffix)


def _separator(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)
