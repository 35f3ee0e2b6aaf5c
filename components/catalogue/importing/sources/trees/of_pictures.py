"""A document for each picture: it has the picture's name, and its row is what it holds."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

from components.catalogue.importing.sources.documents import as_record, listed, read_json
from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.splits import split_of_file
from components.catalogue.importing.sources.table import Record, Table
from components.catalogue.importing.sources.trees.xml_rows import XML, read_xml
from schema.file_names import PICTURE_SUFFIXES

NAME: Final = "document"
"""The column of the picture that has the document's name."""
_NUMBERED: Final = re.compile(r"(.*\D)(\d{1,3})")


def documents_of_pictures(files: Files, documents: Sequence[str]) -> Table | None:
    """Files of an object each, as a table; None where they lie in several folders that are no splits.

    Raises:
        CatalogueError: one is of another kind, or none is an object.
    """
    folders = sorted({name.rpartition("/")[0] for name in documents})
    if len(documents) < 2 or (len(folders) > 1 and not all(map(split_of_file, documents))):
        return None
    read = [_read(files, name) for name in documents]
    pictures = _pictures_of(files, documents)
    several = _several(read)
    records = [
        _record(name, _with_lists(document, several), pictures[name], len(folders) > 1)
        for name, document in zip(documents, read, strict=True)
    ]
    suffix = PurePosixPath(documents[0]).suffix
    return listed(", ".join(f"{folder or '.'}/*{suffix}" for folder in folders), records)


def _read(files: Files, name: str) -> Any:
    return read_xml(files, name) if name.lower().endswith(XML) else read_json(files, name)


def _record(name: str, document: Any, picture: str, is_split: bool) -> Record:
    record = as_record(name, 1, document)
    cells = record.cells if record.error or NAME in record.cells else {**record.cells, NAME: picture}
    return replace(record, cells=cells, split=split_of_file(name) if is_split else "")


def _pictures_of(files: Files, documents: Sequence[str]) -> dict[str, str]:
    """Document → the name of its picture; where documents share one, the path of the nearest that is called so."""
    stems = {name: PurePosixPath(name).stem for name in documents}
    counts = Counter(stem.casefold() for stem in stems.values())
    if len(counts) == len(documents):
        return stems
    named: dict[str, list[str]] = {}
    for path in files.names:
        if path.lower().endswith(PICTURE_SUFFIXES):
            named.setdefault(PurePosixPath(path).stem.casefold(), []).append(path)
    return {name: _nearest(name, named.get(stem.casefold(), []), stem) for name, stem in stems.items()}


def _nearest(document: str, pictures: Sequence[str], stem: str) -> str:
    """The one picture that shares most folders with a document; else the name, which may mean several."""
    outer = document.split("/")[:-1]
    shared = {path: _begin_alike(outer, path.split("/")[:-1]) for path in pictures}
    best = [path for path in pictures if shared[path] == max(shared.values())]
    return best[0] if len(best) == 1 else stem


def _begin_alike(one: Sequence[str], other: Sequence[str]) -> int:
    return next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )


def _several(documents: Sequence[Any]) -> set[str]:
    """What stands before the numbers of objects, ``item1`` and ``item2``, where documents have several of them."""
    numbers: dict[str, set[str]] = {}
    for document in documents:
        for key, value in document.items() if isinstance(document, dict) else ():
            if isinstance(value, dict) and (found := _NUMBERED.fullmatch(key)):
                numbers.setdefault(found[1], set()).add(found[2])
    return {name for name, of in numbers.items() if len(of) > 1}


def _with_lists(document: Any, several: set[str]) -> Any:
    """The document with such objects as a list: a label that differs among them is no label of the picture."""
    if not (several and isinstance(document, dict)):
        return document
    rest: dict[str, Any] = {}
    for key, value in document.items():
        found = _NUMBERED.fullmatch(key) if isinstance(value, Mapping) else None
        if found and found[1] in several:
            rest.setdefault(found[1], []).append(value)
        else:
            rest[key] = value
    return rest
