"""A table in the dress of a tool, as it is meant."""

from collections.abc import Mapping, Sequence
from typing import Final

from components.catalogue.importing.columns.cells import base_of
from components.catalogue.importing.columns.looks import Look
from components.catalogue.importing.reshaping.class_names import are_numbers, with_names
from components.catalogue.importing.reshaping.flags import with_labels
from components.catalogue.importing.reshaping.open_cells import with_open_cells
from components.catalogue.importing.sources.files import Files
from components.catalogue.importing.sources.table import Table
from schema import names

_NUMBERS: Final = "labels that are numbers alone; give their names, one a line, in a file classes.txt beside the sheet"


def as_meant(table: Table, files: Files, given: Mapping[str, str]) -> Table:
    """The table with its cells opened, its flags as labels, and its numbers as names.

    Args:
        table: as the source has it.
        files: of the source.
        given: role → column, of those that a person or a mapping names: they stay as they are.
    """
    table = with_labels(with_open_cells(table, given.values()), given.values())
    return with_names(table, files, given.get(names.ARTICLE_TYPE_LABEL, ""))


def note_numbers(table: Table, looks: Sequence[Look], column: str) -> None:
    """Notes that the labels of a column are numbers, whose names nothing tells."""
    values = next((list(look.values) for look in looks if look.column == base_of(column)), [])
    if are_numbers(values):
        table.notes.note(_NUMBERS, f"{column}: {', '.join(sorted(values)[:3])}")
