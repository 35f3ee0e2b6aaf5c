"""A shop's own table of what is what: article type → sub-category and master category."""

from pathlib import Path

from components.catalogue.importing.columns.words import GENERIC, SYNONYMS, key
from components.catalogue.importing.sources.discovery import find_table
from components.catalogue.importing.sources.files import FolderFiles
from components.catalogue.importing.sources.questions import nobody
from components.catalogue.importing.sources.table import Table
from components.catalogue.reading.cells import label_of
from components.catalogue.reading.errors import CatalogueError
from schema import heads as table
from schema import names

Taxonomy = dict[str, dict[str, str]]
"""Article type, as :func:`key` writes it → column of an upper level → its label."""


def read_taxonomy(path: str) -> Taxonomy:
    """Reads a sheet with a column articleType and at least one of subCategory and masterCategory.

    Raises:
        CatalogueError: it is none, or a type stands under two parents.
    """
    sheet, columns = _sheet(path)
    if len(columns) < 2 or names.ARTICLE_TYPE_LABEL not in columns:
        raise CatalogueError(
            f"the taxonomy {path} has the columns {', '.join(sheet.columns)}; it needs "
            f"{', '.join(reversed(table.columns()))}"
        )
    taxonomy: Taxonomy = {}
    for record in sheet.records():
        labels = {level: label_of(record.cells.get(column, "")) for level, column in columns.items()}
        article_type = labels.pop(names.ARTICLE_TYPE_LABEL)
        if record.error or not article_type:
            raise CatalogueError(f"{record.place}: {record.error or 'no article type'}; mend the taxonomy")
        before = taxonomy.setdefault(key(article_type), labels)
        if before != labels:
            raise CatalogueError(
                f"{record.place}: {article_type} stands under {_path(before)} and {_path(labels)}; keep one of them"
            )
    return taxonomy


def levels_of(taxonomy: Taxonomy) -> set[str]:
    """Columns of the levels that it tells."""
    return {column for labels in taxonomy.values() for column in labels}


def _sheet(path: str) -> tuple[Table, dict[str, str]]:
    file = Path(path)
    if not file.is_file():
        raise CatalogueError(f"the taxonomy {path} does not exist; give a CSV with {', '.join(table.columns())}")
    files = FolderFiles(file.parent, only=file.name)
    sheet, _ = find_table(files, [file.name], "", nobody)
    found: dict[str, str] = {}
    for level in table.columns():
        words = (*SYNONYMS[level], *(GENERIC if level == names.ARTICLE_TYPE_LABEL else ()))
        fitting = [column for column in sheet.columns if key(column) in words and column not in found.values()]
        if fitting:
            found[level] = min(fitting, key=lambda column: words.index(key(column)))
    return sheet, found


def _path(labels: dict[str, str]) -> str:
    return " / ".join(labels[level] or "nothing" for level in table.columns() if level in labels)
