"""From a source to a catalogue: look, map, read the rows, gather the pictures, write."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from components.catalogue.importing.addresses import NotTaken
from components.catalogue.importing.columns import looks
from components.catalogue.importing.columns.cells import cell
from components.catalogue.importing.columns.guessing import Guess
from components.catalogue.importing.columns.mapping import Mapping
from components.catalogue.importing.columns.words import PARENT, PICTURE, tells_label
from components.catalogue.importing.families import Families
from components.catalogue.importing.fetching import Unfetched, fetch_all
from components.catalogue.importing.pictures import Kind, PictureIndex
from components.catalogue.importing.reshaping.as_meant import as_meant, note_numbers
from components.catalogue.importing.rows import RowReader
from components.catalogue.importing.sources.discovery import Clues, find_table, is_sheet
from components.catalogue.importing.sources.excel import PICTURES_INSIDE, WORKSHEET
from components.catalogue.importing.sources.files import Files, folder_files, open_files
from components.catalogue.importing.sources.questions import Ask
from components.catalogue.importing.sources.table import Table
from components.catalogue.importing.split_column import complete_splits
from components.catalogue.importing.taxonomy import Taxonomy, levels_of, read_taxonomy
from components.catalogue.importing.wanted import Rejected, Rows, Wanted
from components.catalogue.importing.writing import MAPPING, REPORT, CatalogueFolder, read_rejected
from components.catalogue.reading.changes import Change
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason
from components.catalogue.reading.source import FileTooLarge
from components.source_hash import source_hash
from components.storage.location import Location, Remote, location
from schema import heads as heads_table
from schema import names

_ARCHIVES: Final = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")
_UNREADABLE: Final = (OSError, RuntimeError, ValueError, EOFError)
"""What reading a file of a folder or a damaged zip may raise; BadZipFile and zlib's errors among them."""


@dataclass(frozen=True)
class Source:
    """What is to be imported, and how it is read.

    Attributes:
        path: as it was given.
        table: its rows.
        mapping: all of it, as it is used.
        why: role → how its column was found.
        examples: role → a few texts of it.
        index: of the pictures.
        taxonomy: of levels that have no column.
    """

    path: Location
    table: Table
    mapping: Mapping
    why: dict[str, str]
    examples: dict[str, str]
    index: PictureIndex
    taxonomy: Taxonomy

    @property
    def untold(self) -> list[str]:
        """Levels that neither a column nor the taxonomy tells; the catalogue has none of them."""
        told = {*filter(self.mapping.columns.get, self.mapping.columns), *levels_of(self.taxonomy)}
        return [level for level in heads_table.columns() if level not in told]


@dataclass(frozen=True)
class Outcome:
    """What an import made: ``rows`` are those of the source; rejected ones have not been taken."""

    source: str
    rows: int
    taken: int
    rejected: tuple[Rejected, ...]
    changes: tuple[Change, ...]
    pictures_without_row: tuple[str, ...]
    links_not_followed: tuple[str, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """Reason → rows, the commonest first."""
        return dict(Counter(one.finding.reason.value for one in self.rejected).most_common())

    @property
    def faulty(self) -> tuple[Rejected, ...]:
        """Rejected rows that are faults; further rows of a product that is taken are none."""
        return tuple(one for one in self.rejected if one.finding.reason is not Reason.FURTHER_ROW)

    def as_json(self) -> dict[str, Any]:
        """The outcome as a JSON object; the rejected rows, which have a file of their own, are counted."""
        return {**asdict(replace(self, rejected=())), "rejected": self.reasons}

    @classmethod
    def of_catalogue(cls, path: Path) -> "Outcome":
        """The outcome of the import that made the catalogue at ``path``."""
        told = json.loads((path / REPORT).read_text(encoding="utf-8"))
        changes = tuple(map(Change.from_json, told["changes"]))
        unused, links = tuple(told["pictures_without_row"]), tuple(told["links_not_followed"])
        return cls(told["source"], told["rows"], told["taken"], read_rejected(path), changes, unused, links)


def open_source(path: Location, given: Mapping, ask: Ask) -> Source:
    """Finds out how a source is to be read; of its pictures no byte is read.

    Args:
        path: a folder, a zip, or one sheet, here or in a store.
        given: what need not be guessed.
        ask: answers what cannot be guessed.

    Raises:
        CatalogueError: there is nothing that could be read, or something is left open.
    """
    files, given = _files(path, given)
    without = Path(given.taxonomy).name if given.taxonomy else ""
    index = PictureIndex(open_files(location(given.pictures)) if given.pictures else files)
    table, sheets = find_table(files, given.sheets, given.encoding, ask, without, Clues(index.stems, tells_label))
    table = as_meant(table, files, given.columns)
    seen, rows = looks.look_at(table, index)
    looks.require_rows(table, seen, index)
    guess = Guess(seen, rows, given.columns, ask)
    note_numbers(table, seen, guess.columns[names.ARTICLE_TYPE_LABEL])
    table = Families(table, guess.columns) if guess.columns.get(PARENT) else table
    mapping = replace(given, sheets=tuple(sheets), columns=guess.columns)
    taxonomy = read_taxonomy(given.taxonomy) if given.taxonomy else {}
    examples = {role: _examples(rows, column) for role, column in guess.columns.items() if column}
    return Source(path, table, mapping, guess.why, examples, index, taxonomy)


def import_source(
    source: Source, out: Path, allow_private: bool = False, progress: Callable[[int], object] = lambda rows: None
) -> Outcome:
    """Writes a source as a catalogue.

    Args:
        source: as :func:`open_source` gave it.
        out: a new or empty folder, or one of an earlier import, which is gone on with.
        allow_private: fetch also from this machine and its own networks.
        progress: called with the number of pictures done since the last call.

    Raises:
        CatalogueError: ``out`` holds something else, or no row can be taken.
    """
    folder = CatalogueFolder(out)
    reader = RowReader(source.mapping.columns, source.table.folder, source.index, source.taxonomy, source.mapping.fetch)
    rows = reader.read(source.table)
    count = len(rows.wanted) + len(rows.rejected)
    _require_any(source, rows, count)
    folder.begin()
    _gather(source, rows, folder, allow_private, progress)
    _require_any(source, rows, count)
    complete_splits(rows)
    rows.changes.add(source.table.notes)
    for level in source.untold:
        rows.changes.note("level of the taxonomy that nothing tells, left out", level)
    for name in source.index.files.replaced:
        rows.changes.note("file of the zip that a later one of its name replaces, not read", name)
    used = {row.picture.where for row in rows.wanted if row.picture.kind is Kind.FILE}
    outcome = Outcome(
        str(source.path),
        count,
        len(rows.wanted),
        tuple(sorted(rows.rejected, key=lambda one: one.finding.line)),
        rows.changes.all(),
        tuple(name for name in source.index.pictures if name not in used),
        tuple(source.index.files.refused),
    )
    document = {**outcome.as_json(), "mapping": asdict(source.mapping)}
    folder.finish(rows.wanted, outcome.rejected, source.mapping.as_toml(str(source.path), MAPPING), document)
    return outcome


def fingerprint(path: Location, given: Mapping) -> str:
    """SHA-256 over what an import depends on: names, sizes and times of all files, the mapping, and the code."""
    files, given = _files(path, given)
    places = [files, *([open_files(location(given.pictures))] if given.pictures else [])]
    taxonomy = Path(given.taxonomy).read_text(encoding="utf-8", errors="replace") if given.taxonomy else ""
    digest = hashlib.sha256(f"{source_hash(__name__)}\0{given}\0{taxonomy}\0".encode())
    for place in places:
        for fact in place.facts():
            digest.update(fact.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(path: Location, given: Mapping) -> tuple[Files, Mapping]:
    if path.is_file() and is_sheet(path.name):
        # A web server lists nothing beside a sheet.
        alone = bool(given.pictures) or (isinstance(path, Remote) and path.uri.startswith("http"))
        files = folder_files(path.parent, path.name if alone else "")
        # A mapping may be of another file, whose worksheet is called the same.
        worksheets = {sheet.partition(WORKSHEET)[2] for sheet in given.sheets} - {""}
        sheets = tuple(f"{path.name}{WORKSHEET}{one}" for one in sorted(worksheets)) or (path.name,)
        return files, replace(given, sheets=sheets)
    return open_files(path), given


def _examples(rows: Iterable[Any], column: str) -> str:
    texts = (cell(row, column).strip() for row in rows)
    return ", ".join(text[:40] for text in list(dict.fromkeys(filter(None, texts)))[:3])


def _gather(
    source: Source, rows: Rows, folder: CatalogueFolder, allow_private: bool, progress: Callable[[int], object]
) -> None:
    """Gets the pictures of all rows into the folder; rows whose picture cannot be had are rejected."""
    failed: dict[str, Wanted] = {}

    def put(row: Wanted, content: bytes | Exception, write: Callable[[Wanted, bytes], None] = folder.put) -> None:
        try:
            if isinstance(content, Exception):
                raise content
            write(row, content)
        except NotTaken as fault:
            rows.reject(row, fault.reason, fault.detail)
            failed[row.id] = row
        except FileTooLarge as error:
            rows.reject(row, Reason.IMAGE_TOO_LARGE, str(error))
            failed[row.id] = row
        except Unfetched as error:
            rows.reject(row, Reason.NOT_FETCHED, f"{row.picture.where}: {error}")
            failed[row.id] = row
        progress(1)

    for row in (row for row in rows.wanted if row.picture.kind is Kind.FILE):
        put(row, _read(source, row))
    _gather_cells(source, rows, put)
    _gather_urls(rows, folder, allow_private, put, progress)
    rows.wanted = [row for row in rows.wanted if row.id not in failed]


def _read(source: Source, row: Wanted) -> bytes | Exception:
    try:
        return source.index.files.read(row.picture.where)
    except FileTooLarge as error:
        return error
    except _UNREADABLE as error:
        return NotTaken(Reason.UNREADABLE_IMAGE, f"{row.picture.where}: {error}")


def _gather_cells(source: Source, rows: Rows, put: Callable[..., None]) -> None:
    wanted = {row.picture.where: row for row in rows.wanted if row.picture.kind is Kind.CELL}
    for record in source.table.records() if wanted else ():
        if record.place in wanted:
            put(wanted[record.place], record.embedded[source.mapping.columns[PICTURE]])


def _gather_urls(
    rows: Rows,
    folder: CatalogueFolder,
    allow_private: bool,
    put: Callable[..., None],
    progress: Callable[[int], object],
) -> None:
    wanted: dict[str, list[Wanted]] = {}
    for row in (row for row in rows.wanted if row.picture.kind is Kind.URL):
        if folder.has_fetched(row):
            progress(1)
        else:
            wanted.setdefault(row.picture.where, []).append(row)

    def take(url: str, content: bytes | Exception) -> None:
        for row in wanted[url]:
            put(row, content, folder.put_fetched)

    fetch_all(list(wanted), take, allow_private)


def _require_any(source: Source, rows: Rows, count: int) -> None:
    if rows.wanted:
        return
    reasons = Counter(one.finding.reason.value for one in rows.rejected).most_common()
    usual = [one for one in rows.rejected if reasons[0][0] == one.finding.reason.value]
    first = f"{usual[0].place}: {usual[0].finding.detail}"
    files = source.index.files
    inner = [name for name in files.names if name.lower().endswith(_ARCHIVES)]
    left = [f"links out of the source are not followed: {', '.join(files.refused[:3])}"] if files.refused else []
    left += [f"archives in it are not opened: {', '.join(inner[:3])}"] if inner else []
    left += [one.what for one in source.table.notes.all() if one.what == PICTURES_INSIDE]
    more = "".join(f"; {words}" for words in [*left, *(["give --pictures"] if left else [])])
    raise CatalogueError(
        f"none of {count:,} rows of {source.path} can be taken: "
        f"{', '.join(f'{number:,} × {reason}' for reason, number in reasons)} (first: {first}){more}"
    )
