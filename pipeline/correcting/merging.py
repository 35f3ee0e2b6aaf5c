"""A catalogue and decisions about it → a new catalogue beside the old one, which stays as it is."""

import csv
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from components.catalogue.importing.writing import MAPPING, REJECTED
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.rows import read_rows
from components.catalogue.reading.source import MAX_CSV_BYTES, ZIP_DAMAGE, Catalogue, FileTooLarge
from components.storage.location import Location
from pipeline.correcting.offered import Offered, Reading, of_list
from pipeline.correcting.plan import MERGED, PICTURE_LIMITS, Entry, Outcome, Plan, Planner, as_merged
from pipeline.correcting.sheet import corrected, header_of
from schema import corrections as decided
from schema import names, pictures
from schema.corrections import Correction, CorrectionsError
from schema.spreadsheets import inert

NEW_LABELS: Final = "new_labels.csv"
"""Beside ``styles.csv``: decisions for labels that have too few pictures still, as a list of corrections."""

REPORT: Final = "merge.csv"
OF_IMPORT: Final = (MAPPING, REJECTED)
"""What an import left beside ``styles.csv`` for people: how it was read, and what was not taken."""
_REPORT_COLUMNS: Final = ("outcome", "row", "detail", "picture", "label", "by", "at", "source", "where")
_ABSENT: Final = (FileNotFoundError, KeyError)
_UNREADABLE: Final = (OSError, KeyError, FileTooLarge, zipfile.BadZipFile, *ZIP_DAMAGE)


def make_plan(catalogue: Catalogue, readings: Iterable[Reading], enough: int) -> Plan:
    """What these decisions, and those that the catalogue keeps from earlier merges, mean for it.

    Raises:
        CatalogueError: the catalogue cannot be used.
        CorrectionsError: its own lists of decisions cannot be read.
    """
    rows = read_rows(catalogue)
    before = [_kept(catalogue, decided.CORRECTIONS_CSV), _kept(catalogue, NEW_LABELS)]
    everything = [*before, *readings]
    offered = [one for reading in everything for one in reading.offered]
    sha256 = _hashes(catalogue) if any(one.correction.sha256 for one in offered) else {}
    taken = {*catalogue.images, *(one.id for one in rows.everything)}
    plan = Planner(rows.taken, header_of(catalogue.styles()), sha256, taken, enough).plan(offered)
    for reading in everything:
        plan.entries += [Entry(Outcome.NO_CORRECTION, detail, None, where) for where, detail in reading.faults]
    return plan


def is_news(entry: Entry) -> bool:
    """Whether there is something to say of it: what the catalogue keeps from before and changes nothing is none."""
    return not (is_kept(entry) or entry.where == NEW_LABELS) or entry.outcome not in (
        Outcome.UNCHANGED,
        Outcome.SUPERSEDED,
        Outcome.KEPT_APART,
    )


def keeps_corrections(catalogue: Catalogue) -> bool:
    """Whether an earlier merge left decisions in the catalogue.

    Raises:
        CorrectionsError: there is a list of that name which is none.
    """
    return bool(_kept(catalogue, decided.CORRECTIONS_CSV).offered)


def is_kept(entry: Entry) -> bool:
    """Whether the catalogue keeps it from a merge before."""
    return entry.where == decided.CORRECTIONS_CSV


def write_merged(catalogue: Catalogue, plan: Plan, out: Path, progress: Callable[[], object] = lambda: None) -> None:
    """Writes the new catalogue; it is there whole or not at all.

    Args:
        catalogue: that was given.
        plan: of it.
        out: a folder that is not there yet, or is empty.
        progress: is called for each picture.

    Raises:
        CatalogueError: there is something at ``out``.
        OSError: it cannot be written.
    """
    require_free(out, catalogue.path)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".unfinished-{out.name}-{os.getpid()}")
    try:
        _write(catalogue, plan, unfinished, progress)
        if out.exists():
            out.rmdir()
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def require_free(out: Path, given: Location) -> None:
    """Sees to it that nothing is lost by writing to ``out``, and that the catalogue that was given stays as it is.

    Raises:
        CatalogueError: there is something, or a link or mount point, or it lies in ``given``.
    """
    if os.path.lexists(out) and (not _is_folder(out) or any(out.iterdir())):
        raise CatalogueError(f"{out} is there already; give a new folder: a catalogue is never written over")
    if isinstance(given, Path) and Path(os.path.realpath(out)).is_relative_to(os.path.realpath(given)):
        raise CatalogueError(f"{out} lies in {given}, which is only read; give a new folder beside it")


def _is_folder(path: Path) -> bool:
    """Whether it is one that can be replaced."""
    return path.is_dir() and not path.is_symlink() and not os.path.ismount(path)


def report(entries: Iterable[Entry]) -> str:
    """What became of each decision, as CSV."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_REPORT_COLUMNS)
    for one in entries:
        said = one.offered.correction if one.offered else None
        cells = (said.sha256 or said.id, said.path, said.by, said.at, said.source) if said else ("",) * 5
        rows.writerow(map(inert, (one.outcome.value, one.row_id, one.detail, *cells, one.where)))
    return text.getvalue()


def _write(catalogue: Catalogue, plan: Plan, folder: Path, progress: Callable[[], object]) -> None:
    (folder / names.IMAGES_DIR).mkdir(parents=True)
    for name in (*catalogue.images.values(), *catalogue.spare_files):
        _put(folder / name, partial(catalogue.read, name))
        progress()
    for row_id in plan.additions:
        content = plan.pictures[row_id]()
        (folder / names.IMAGES_DIR / f"{row_id}.{_extension(content)}").write_bytes(content)
    lines = {row.id: row.line for row in read_rows(catalogue).taken}
    changes = {lines[row_id]: cells for row_id, cells in plan.changes.items()}
    # A catalogue that says of each row where it belongs has to say it of these too: they are there to be learnt.
    new = [{names.ID: row_id, names.SPLIT_COLUMN: names.TRAIN, **cells} for row_id, cells in plan.additions.items()]
    (folder / names.STYLES_CSV).write_bytes(corrected(catalogue.styles(), changes, new))
    for name in OF_IMPORT:
        _put_if_there(catalogue, name, folder)
    (folder / REPORT).write_text(report(plan.entries), encoding="utf-8")
    merged = [as_merged(one) for one in plan.entries if one.outcome in MERGED]
    decided.write_corrections(folder, ((one, None) for one in _each_once(merged)))
    apart = (one.offered for one in plan.entries if one.outcome is Outcome.KEPT_APART)
    _write_new_labels(folder, [one for one in apart if one])


def _write_new_labels(folder: Path, kept: Sequence[Offered]) -> None:
    """Those that wait for more of their label, with their pictures: the next merge reads them here."""
    if not kept:
        return
    apart = folder / ".new-labels"
    found = {one.correction.sha256: one.picture for one in kept if one.picture}
    unique = _each_once(one.correction for one in kept)
    decided.write_corrections(apart, ((one, _content(found.get(one.sha256), one)) for one in unique))
    (apart / decided.CORRECTIONS_CSV).rename(folder / NEW_LABELS)
    if (apart / decided.PICTURES_DIR).is_dir():
        (apart / decided.PICTURES_DIR).rename(folder / decided.PICTURES_DIR)
    apart.rmdir()


def _content(read: Callable[[], bytes] | None, one: Correction) -> bytes | None:
    return read() if read and one.picture else None


def _each_once(found: Iterable[Correction]) -> Iterable[Correction]:
    return {repr(one): one for one in found}.values()  # what it maps cannot be hashed


def _kept(catalogue: Catalogue, name: str) -> Reading:
    """A list of decisions that an earlier merge left in the catalogue."""
    try:
        text = catalogue.read(name, MAX_CSV_BYTES).decode("utf-8-sig")
    except _ABSENT:
        return Reading()
    except UnicodeDecodeError as error:
        raise CorrectionsError(f"{name} of {catalogue.path} is not UTF-8: {error}; save it as UTF-8") from error
    except _UNREADABLE as error:
        raise CorrectionsError(f"{name} of {catalogue.path} cannot be read: {error}") from error
    found = decided.parse_corrections(text, f"{name} of {catalogue.path}")
    return of_list(found, name, partial(_read_kept, catalogue))


def _read_kept(catalogue: Catalogue, one: Correction) -> bytes:
    try:
        content = catalogue.read(one.picture)
    except _UNREADABLE as error:
        raise CorrectionsError(f"{one.picture} of {catalogue.path} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != one.sha256:
        raise CorrectionsError(f"{one.picture} of {catalogue.path} was changed since")
    return content


def _hashes(catalogue: Catalogue) -> dict[str, str]:
    found = {}
    for row_id, name in catalogue.images.items():
        try:
            found[row_id] = hashlib.sha256(catalogue.read(name)).hexdigest()
        except _UNREADABLE:  # noqa: PERF203 - the import reports it
            continue
    return found


def _extension(content: bytes) -> str:
    kind = pictures.read_header(content, PICTURE_LIMITS).format
    return {"JPEG": "jpg", "TIFF": "tif"}.get(kind, kind.lower())


def _put_if_there(catalogue: Catalogue, name: str, folder: Path) -> None:
    try:
        (folder / name).write_bytes(catalogue.read(name, MAX_CSV_BYTES))
    except _ABSENT:
        return


def _put(file: Path, read: Callable[[], bytes]) -> None:
    try:
        content = read()
    except _UNREADABLE as error:
        raise CatalogueError(f"{file.name} of the catalogue cannot be read: {error}") from error
    file.write_bytes(content)
