"""Which sheets of a source are meant, and the table that they make; class folders where there is none."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from components.catalogue.importing.sources.coco import coco_table, is_coco
from components.catalogue.importing.sources.documents import (
    flat,
    json_lines,
    json_table,
    only_list,
    read_json,
)
from components.catalogue.importing.sources.excel import WORKSHEET, Worksheet, worksheets
from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.folders import folder_table
from components.catalogue.importing.sources.parquet import ParquetTable
from components.catalogue.importing.sources.questions import Ask, Question
from components.catalogue.importing.sources.splits import split_of_file
from components.catalogue.importing.sources.table import Joined, Table
from components.catalogue.importing.sources.text_sheets import TextSheet, counted_pictures, looks_like_table
from components.catalogue.importing.sources.trees.keyed import are_of_pictures, keyed
from components.catalogue.importing.sources.trees.of_pictures import documents_of_pictures
from components.catalogue.importing.sources.trees.xml_rows import XML, has_rows, has_rows_of_pictures, xml_table
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from schema.file_names import PICTURE_SUFFIXES

TEXTS: Final = (".csv", ".tsv", ".tab")
TEXT_BY_ITS_LOOKS: Final = ".txt"
EXCEL: Final = (".xlsx", ".xlsm")
LINES: Final = (".jsonl", ".ndjson")
SHEETS: Final = (*TEXTS, *EXCEL, *LINES, ".json", ".parquet")
FOREIGN: Final = (".xls", ".ods", ".numbers", ".xlsb", ".feather", ".arrow", ".sqlite", ".db")
_HUGGING_FACE: Final = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_PART: Final = re.compile(r"^part[-._]?\d+|\d+-of-\d+", re.IGNORECASE)
_MOST_JSON: Final = 20  # more of them describe a picture each


class Clues(NamedTuple):
    """What tells a sheet from any other document.

    Attributes:
        stems: names of the pictures, in small letters, by which documents may name their rows.
        tells_label: whether columns of these names may tell what a picture shows.
    """

    stems: Collection[str] = ()
    tells_label: Callable[[Iterable[str]], bool] = any


_NO_CLUES: Final = Clues()


def is_sheet(path: str) -> bool:
    """Whether a file that somebody names may be a sheet."""
    return _suffix(path) in (*SHEETS, *FOREIGN, TEXT_BY_ITS_LOOKS, XML)


def find_table(
    files: Files, given: Sequence[str], encoding: str, ask: Ask, without: str = "", clues: Clues = _NO_CLUES
) -> tuple[Table, list[str]]:
    """The table of a source, and the names of its sheets; none for class folders.

    Args:
        files: of the source.
        given: names of sheets to take; empty: those that are found.
        encoding: of sheets of text; empty: by their bytes.
        ask: where there are several.
        without: name of a file that is not meant, though it is a sheet.
        clues: by which documents of any kind are known to tell what pictures show.

    Raises:
        CatalogueError: there is nothing to read, or a sheet cannot be read.
    """
    sheets = list(given) or _chosen([name for name in _found(files, clues) if name != without], ask)
    if not sheets:
        return _without_sheet(files, clues.stems)
    sheets = [one for sheet in sheets for one in _with_worksheet(files, sheet, ask)]
    tables = [_open(files, sheet, encoding, clues.stems) for sheet in sheets]
    if len(tables) == 1:
        return tables[0], sheets
    return Joined([(table, split_of_file(table.name.replace(WORKSHEET, "/"))) for table in tables]), sheets


def _without_sheet(files: Files, stems: Collection[str]) -> tuple[Table, list[str]]:
    """Class folders; where there are none, documents of a picture each, or the only one or feed of all pictures."""
    try:
        return folder_table(_pictures(files), _unread(files)), []
    except CatalogueError:
        of_json, of_xml = ([name for name in files.names if _suffix(name) == suffix] for suffix in (".json", XML))
        for documents in (of_json, of_xml):
            if table := documents_of_pictures(files, documents):
                return table, []
        if len(of_json) == 1 and keyed(read_json(files, of_json[0]), stems):
            return _open(files, of_json[0], "", stems), of_json
        if len(of_xml) == 1 and has_rows(files, of_xml[0]):
            return xml_table(files, of_xml[0]), of_xml
        raise


def _pictures(files: Files) -> list[str]:
    pictures = [name for name in files.names if _suffix(name) in PICTURE_SUFFIXES]
    foreign = [name for name in files.names if _suffix(name) in FOREIGN]
    if not pictures and foreign:
        raise _not_read(foreign[0])
    return pictures


def _unread(files: Files) -> list[str]:
    """Files that might tell what the pictures show, and that nothing here reads."""
    return [name for name in files.names if _suffix(name) not in PICTURE_SUFFIXES]


def _found(files: Files, clues: Clues) -> list[str]:
    """Files that may be the sheet: of a few JSON files those that are tables; feeds and texts if there is no other."""
    found = _named(files, clues) or _feeds(files, clues)
    texts = [name for name in files.names if _suffix(name) == TEXT_BY_ITS_LOOKS]
    return found or [name for name in texts if looks_like_table(files, name) or counted_pictures(files, name)]


def _feeds(files: Files, clues: Clues) -> list[str]:
    """Files of XML whose rows name pictures and labels; many, and those named like pictures, tell of one each."""
    feeds = [name for name in files.names if _suffix(name) == XML]
    of_pictures = sum(PurePosixPath(name).stem.casefold() in clues.stems for name in feeds)
    if len(feeds) > _MOST_JSON or (len(feeds) > 1 and 2 * of_pictures > len(feeds)):
        return []
    return [name for name in feeds if has_rows_of_pictures(files, name, clues.tells_label)]


def _named(files: Files, clues: Clues) -> list[str]:
    named = [name for name in files.names if _suffix(name) in SHEETS]
    documents = [name for name in named if _suffix(name) == ".json"]
    others = [name for name in named if name not in documents]
    hugging_face = [name for name in others if PurePosixPath(name).name in _HUGGING_FACE]
    if hugging_face:
        return hugging_face
    if len(documents) > _MOST_JSON:
        return others
    read = {name: read_json(files, name) for name in documents}
    tables = [name for name, document in read.items() if _is_table(document)]
    # Sizes and colours are kept by the names of pictures too.
    by_picture = [name for name, one in read.items() if are_of_pictures(one, clues.stems) and _tell_labels(one, clues)]
    # An object that holds one list may be anything: a table where there is nothing else.
    alone = [name for name, one in read.items() if len(read) == 1 and (only_list(one) or keyed(one))]
    return [*others, *tables] or by_picture or alone


def _tell_labels(document: Mapping[str, Any], clues: Clues) -> bool:
    told = sum(clues.tells_label(column for column, _ in flat(one)) for one in document.values())
    return 2 * told > len(document)


def _is_table(document: Any) -> bool:
    return is_coco(document) or (isinstance(document, list) and any(isinstance(one, dict) for one in document))


def _chosen(found: list[str], ask: Ask) -> list[str]:
    """All of them where each is a split, or part of one table; else the one that is asked for."""
    same_kind = len({_suffix(name) for name in found}) == 1
    if (
        len(found) < 2
        or (same_kind and (all(map(split_of_file, found)) or _are_parts(found)))
        or _is_hugging_face(found)
    ):
        return found
    return [ask(Question("the sheet", "--sheet", [(name, "") for name in found]))]


def _are_parts(found: list[str]) -> bool:
    """Whether they are one table, as engines write it: ``part-00000-…``, ``…-00000-of-00002``, in one folder."""
    files = list(map(PurePosixPath, found))
    return len({file.parent for file in files}) == 1 and all(_PART.search(file.stem) for file in files)


def _is_hugging_face(found: list[str]) -> bool:
    return all(PurePosixPath(name).name in _HUGGING_FACE for name in found)


def _with_worksheet(files: Files, sheet: str, ask: Ask) -> list[str]:
    """The sheet, of Excel with its worksheet."""
    if sheet.partition(WORKSHEET)[0] not in files.names and sheet not in files.names:
        known = [name for name in files.names if _suffix(name) in SHEETS]
        raise CatalogueError(f"there is no sheet {sheet!r} in {files.path}; there are: {', '.join(known) or 'none'}")
    if _suffix(sheet) not in EXCEL:
        return [sheet]
    filled = [f"{sheet}{WORKSHEET}{one}" for one in worksheets(files, sheet)]
    if not filled:
        raise CatalogueError(f"{sheet} is empty")
    if len(filled) == 1 or all(split_of_file(one.partition(WORKSHEET)[2]) for one in filled):
        return filled
    return [ask(Question(f"the worksheet of {sheet}", "--sheet", [(one, "") for one in filled]))]


def _open(files: Files, sheet: str, encoding: str, stems: Collection[str]) -> Table:
    file, _, worksheet = (sheet, "", "") if sheet in files.names else sheet.partition(WORKSHEET)
    suffix = _suffix(file)
    if suffix in EXCEL:
        return Worksheet(files, file, worksheet)
    if suffix in LINES:
        return json_lines(files, file)
    if suffix == ".parquet":
        return ParquetTable(files, file)
    if suffix == ".json":
        notes = Changes()
        document = read_json(files, file, notes)
        return coco_table(file, document) if is_coco(document) else json_table(file, document, notes, stems)
    if suffix == XML:
        return xml_table(files, file)
    if suffix in FOREIGN:
        raise _not_read(file)
    counted = counted_pictures(files, file) if suffix == TEXT_BY_ITS_LOOKS else None
    return counted or TextSheet(files, file, encoding)


def _not_read(name: str) -> CatalogueError:
    return CatalogueError(f"{name} is of a kind that is not read; save it as .xlsx, CSV, JSON lines or Parquet")


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
