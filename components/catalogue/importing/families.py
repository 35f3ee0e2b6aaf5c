"""Rows of variants, which leave out what the row of their product tells."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from components.catalogue.importing.columns.cells import base_of
from components.catalogue.importing.columns.words import PARENT, PICTURE, SYNONYMS, key, plain_key
from components.catalogue.importing.sources.table import Record, Reshaped, Table
from components.catalogue.reading.cells import id_of, is_empty
from schema import heads, names

_BY_ID: Final = "id:"
"""Before a parent that has no number of the shop's own, WooCommerce writes ``id:123``."""
_GENERATIONS: Final = 5


@dataclass(frozen=True)
class _Told:
    """What the row of a product tells its variants: where it stands, its cells, and its own parent."""

    place: str
    cells: Mapping[str, str]
    parent: str


class Families(Reshaped):
    """A table in which a row that lacks its label, and names a parent, has the name of that, and what else it lacks.

    A parent is named by its id, by what most parents are found by (SKU, handle), or by a text that all rows of a
    product share; that tells nothing where these rows have more labels than one, as a brand's or a manager's have.
    """

    def __init__(self, table: Table, columns: Mapping[str, str]) -> None:
        """Finds the parents' rows.

        Args:
            table: as it is.
            columns: role → column; one of them is that of the parent.
        """
        super().__init__(table, table.columns)
        self._parent = columns[PARENT]
        self._label = base_of(columns[names.ARTICLE_TYPE_LABEL])
        self._name = columns.get(names.PRODUCT_NAME, "")
        own = (names.ID, PICTURE, PARENT)
        self._told = list(dict.fromkeys(base_of(one) for role, one in columns.items() if one and role not in own))
        # Half a path of the product and half of the variant are none, and one split is of both.
        whole = (*heads.columns(), names.SPLIT_COLUMN)
        self._whole = [base_of(columns[role]) for role in whole if columns.get(role)]
        self._by: dict[str, dict[str, _Told]] = {column: {} for column in self._names_of_rows(columns)}
        self._id = columns.get(names.ID, "")
        self._find_parents()

    def records(self) -> Iterator[Record]:
        """See :meth:`Table.records`: a row that lacks its label has that of its parent, or of the parent's parent."""
        for record in self._table.records():
            yield record if record.error or _text(record, self._label) else self._completed(record)

    def _names_of_rows(self, columns: Mapping[str, str]) -> Sequence[str]:
        """Columns by which a parent may be named; the parent's own is the last."""
        words = (names.ID, *SYNONYMS[names.ID])
        named = [one for one in self.columns if plain_key(one) in words and one != self._parent]
        given = [columns[names.ID]] if columns.get(names.ID) else []
        return [*dict.fromkeys([*given, *named]), self._parent]

    def _find_parents(self) -> None:
        """Keeps the rows that others name."""
        wanted, is_any = set(), False
        for record in self._table.records():
            wanted.add(id_of(_text(record, self._parent).removeprefix(_BY_ID)))
            is_any = is_any or not (record.error or _text(record, self._label))
        wanted -= {""}
        labels: dict[str, set[str]] = {}
        for record in self._table.records() if is_any else ():
            if not record.error:
                self._keep(record, wanted, labels)
        self._by[self._parent] = {name: row for name, row in self._by[self._parent].items() if len(labels[name]) < 2}
        self._drop_columns(len(wanted))

    def _keep(self, record: Record, wanted: Collection[str], labels: dict[str, set[str]]) -> None:
        told = _Told(record.place, {one: _text(record, one) for one in self._told}, _text(record, self._parent))
        for column, rows in self._by.items():
            name = id_of(_text(record, column))
            if name not in wanted:
                continue
            if name not in rows or (not rows[name].cells[self._label] and told.cells[self._label]):
                rows[name] = told
            if column == self._parent:
                labels.setdefault(name, set()).update({told.cells[self._label]} - {""})

    def _drop_columns(self, count: int) -> None:
        """Of the columns that name rows, leaves the id, that where most parents are found, and the parent's own.

        Numbers meet by chance: a parent's is another product's in a column of another kind.
        """
        others = [one for one in self._by if one not in (self._id, self._parent)]
        most = max(others, key=lambda one: len(self._by[one]), default="")
        kept = {self._id, most} if most and 2 * len(self._by[most]) >= count else {self._id}
        # By the table's order where as many are found: that of a set is another one in each process.
        ranked = sorted((one for one in self._by if one in kept), key=lambda one: -len(self._by[one]))
        self._by = {column: self._by[column] for column in (*ranked, self._parent)}

    def _completed(self, record: Record) -> Record:
        cells, place, above = dict(record.cells), "", _text(record, self._parent)
        for _ in range(_GENERATIONS):
            told = self._row_of(above, record.place)
            if not told:
                break
            cells |= {
                column: text
                for column, text in told.cells.items()
                if text and (column in self._whole or is_empty(cells.get(column, "")))
            }
            place, above = place or told.place, told.parent
            if told.cells[self._label]:
                # Rows of one name are of one split: a variant beside its product would be known in the test.
                cells |= {column: text for column, text in told.cells.items() if text and column == self._name}
                return replace(record, cells=cells, parent=place)
        return record

    def _row_of(self, parent: str, but: str) -> _Told | None:
        """The row that a cell names; never the row that the cell is of."""
        name = id_of(parent.removeprefix(_BY_ID))
        by_id = parent.startswith(_BY_ID)
        rows = (rows.get(name) for column, rows in self._by.items() if not by_id or key(column) == names.ID)
        return next((row for row in rows if row and row.place != but), None)


def _text(record: Record, column: str) -> str:
    """A cell; "" for what means nothing."""
    text = record.cells.get(column, "").strip()
    return "" if is_empty(text) else text
