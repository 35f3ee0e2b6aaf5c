"""Cells that hold objects and lists, as JSON and Python write them: read as a JSON document of them would be."""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from components.catalogue.importing.columns.cells import SIGNS, base_of, joined_path, sign_of
from components.catalogue.importing.columns.looks import MOST, NEARLY_ALL
from components.catalogue.importing.literals import opened, texts_of
from components.catalogue.importing.sources.documents import IS_OF_CATEGORIES, flat, text_of
from components.catalogue.importing.sources.table import MAX_COLUMNS, Record, Reshaped, Table
from components.catalogue.reading.cells import is_empty
from schema.file_names import PICTURE_SUFFIXES

_ROWS: Final = 1000
_TREE: Final = 2  # paths of each root, on average


@dataclass(frozen=True)
class _Kinds:
    """Columns by what their cells hold; those of lists may be of paths, each list one of them or several."""

    objects: Sequence[str]
    lists: Sequence[str]
    paths: Sequence[str]


def with_open_cells(table: Table, given: Collection[str] = ()) -> Table:
    """The table; where nearly all cells of a column hold objects, with columns of what these hold.

    Args:
        table: as it is.
        given: columns, and parts of such, that are meant as they stand; a list whose sign is given is no path.
    """
    kept = {*given, *(base_of(one) for one in given if sign_of(one) in SIGNS)}
    kinds = _kinds(table, kept)
    if kinds.objects:  # lists of categories may lie in them
        table = OpenCells(table, _Kinds(kinds.objects, [], []))
        kinds = replace(_kinds(table, kept), objects=[])
    return OpenCells(table, kinds) if kinds.lists else table


class OpenCells(Reshaped):
    """A table in which objects are columns with a dot, and lists of texts are a path or stand beside each other."""

    def __init__(self, table: Table, kinds: _Kinds) -> None:
        """Finds what lies in the columns of objects; ``kinds`` tells which are."""
        self._kinds, self._inner = kinds, _columns_inside(table, kinds.objects)
        super().__init__(table, [new for old in table.columns for new in self._inner.get(old, [old])])
        for column, inner in self._inner.items():
            self.notes.note("column of objects, read as columns", f"{column}: {', '.join(inner[:4])}")
        for column in kinds.paths:
            self.notes.note("column of lists, of which each is read as a path", column)

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`; a cell that is no object costs its row, if what lies in it is of use."""
        for record in self._table.records():
            cells, faults = dict(record.cells), dict(record.faults)
            for column in self._inner:
                inside = _inside(column, cells.pop(column, ""))
                if inside is None:
                    fault = f"no object, as in other rows, but {record.cells[column][:40]!r}"
                    faults |= dict.fromkeys(self._inner[column], fault)
                cells |= inside or {}
            for column in (one for one in self._kinds.lists if one in cells):
                cells[column], fault = self._listed(column, cells[column])
                faults |= {column: fault} if fault else {}
            yield replace(record, cells=cells, faults=faults)

    def _listed(self, column: str, text: str) -> tuple[str, str]:
        """The text of a list; "" and what is wrong where it has none."""
        value = opened(text) if _is_begun(text) else None
        if not (texts := texts_of(value)):
            return "" if value == [] else text, ""
        members = map(joined_path, _paths_of(value)) if column in self._kinds.paths else filter(None, texts)
        try:
            return text_of(list(members)), ""
        except ValueError as error:
            return "", str(error)


def _columns_inside(table: Table, objects: Sequence[str]) -> dict[str, list[str]]:
    """Column of objects → columns of what lies in them; without those that would be too many, or taken."""
    found: dict[str, dict[str, None]] = {column: {} for column in objects}
    for record in table.records() if found else ():
        for column, inner in found.items():
            if len(inner) <= MAX_COLUMNS:
                inner |= dict.fromkeys(_inside(column, record.cells.get(column, "")) or ())
    taken, opened_up = set(table.columns), {}
    for column, inner in found.items():
        if inner and not inner.keys() & taken and len(inner) + len(taken) <= MAX_COLUMNS:
            opened_up[column] = list(inner)
            taken |= inner.keys()
    return opened_up


def _kinds(table: Table, given: Collection[str]) -> _Kinds:
    cells: dict[str, list[str]] = {column: [] for column in table.columns}
    for record in itertools.islice(table.records(), _ROWS):
        for column, of in cells.items():
            if not (record.error or is_empty(text := record.cells.get(column, ""))):
                of.append(text)
    values = {column: list(map(opened, texts)) for column, texts in cells.items() if any(map(_is_begun, texts))}
    objects = [column for column, of in values.items() if _are(of, lambda value: isinstance(value, dict)) and any(of)]
    objects = [column for column in objects if column not in given]
    lists = [column for column, of in values.items() if _are_lists(of)]
    named = [column for column in table.columns if IS_OF_CATEGORIES.search(column) and column not in objects]
    paths = [column for column in named if column not in given and _are_paths(values.get(column, []))]
    return _Kinds(objects, list(dict.fromkeys([*lists, *named])), paths)


def _is_begun(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def _are(values: Sequence[Any], test: Callable[[Any], bool]) -> bool:
    return sum(map(test, values)) >= NEARLY_ALL * len(values)


def _are_lists(values: Sequence[Any]) -> bool:
    """Whether nearly all are lists of texts; those of pictures are read where pictures are."""
    lists = list(filter(None, map(texts_of, values)))
    of_pictures = sum("://" in texts[0] or texts[0].lower().endswith(PICTURE_SUFFIXES) for texts in lists)
    if not lists or of_pictures >= MOST * len(lists):
        return False
    return _are(values, lambda value: bool(texts_of(value)) or value == [])


def _are_paths(values: Sequence[Any]) -> bool:
    """Whether lists of categories lead from what is above to what is below it; a list of lists surely does.

    Nearly all have two members or more, and all grow from one root and most are three deep, or nearly each member
    stands below one and the same, and roots have several ends: ``["Shirts", "Sale"]`` beside ``["Hats", "Sale"]``
    are labels beside each other.
    """
    lists = [value for value in values if texts_of(value)]
    paths = [tuple(path) for value in lists for path in _paths_of(value)]
    if not lists or len(lists) < NEARLY_ALL * len(values):
        return False
    if sum(len(path) > 1 for path in paths) < NEARLY_ALL * len(paths):
        return False
    if all(isinstance(value[0], list) for value in lists):
        return True
    roots = {path[0] for path in paths}
    is_deep = sum(len(path) > _TREE for path in paths) > MOST * len(paths)
    return (len(roots) == 1 and is_deep) or (_TREE * len(roots) <= len(set(paths)) and _have_one_parent(paths))


def _have_one_parent(paths: Iterable[tuple[str, ...]]) -> bool:
    """Whether nearly each member stands below the same one wherever it stands; a root below none."""
    pairs = Counter((lower, upper) for path in paths for upper, lower in zip(("", *path), path, strict=False))
    most: Counter[str] = Counter()
    for (lower, _), count in pairs.items():
        most[lower] = max(most[lower], count)
    return most.total() >= NEARLY_ALL * pairs.total()


def _paths_of(value: Any) -> list[list[str]]:
    inner = [texts_of(one) for one in value if isinstance(one, list)]
    return inner or [texts_of(value)]


def _inside(column: str, text: str) -> dict[str, str] | None:
    """What lies in the object of a cell; None where it holds something else."""
    if is_empty(text):
        return {}
    value = opened(text)
    try:
        return dict(flat({column: value})) if isinstance(value, dict) and value else None if value != {} else {}
    except ValueError:  # half of a character
        return None
