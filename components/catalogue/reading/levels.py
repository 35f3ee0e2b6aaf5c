"""Which levels of the taxonomy a catalogue tells: those above the finest may be missing, as whole columns."""

from collections.abc import Iterable

from components.catalogue.reading.cells import label_of
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.columns import Columns, names_all, open_columns
from components.catalogue.reading.sheet import Record
from schema import heads as table


def label_columns(columns: Columns, records: Iterable[Record]) -> tuple[str, ...]:
    """The columns that each row must have a label in: those of the taxonomy that have one in any row.

    Args:
        columns: of the sheet.
        records: its rows; gone through as far as the first with a label on each level.
    """
    left = {column: columns.header.index(column) for column in table.columns() if column in columns.header}
    there, found = tuple(left), {table.finest().column}
    for record in (record for record in records if not names_all(record.fields)):
        found |= {one for one, at in left.items() if at < len(record.fields) and label_of(record.fields[at])}
        if len(found) == len(there):
            break
    return tuple(column for column in there if column in found)


def header_of(content: bytes) -> list[str]:
    """The columns of a ``styles.csv``, by their names here, without levels of the taxonomy that no row tells.

    Raises:
        CatalogueError: as :func:`open_columns`.
    """
    _, columns, records = open_columns(content, Changes())
    labels = label_columns(columns, records)
    return [column for column in columns.header if column and (column in labels or column not in table.columns())]
