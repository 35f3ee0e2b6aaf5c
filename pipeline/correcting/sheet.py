"""``styles.csv`` with some cells changed and rows added; every line that nothing is said of stays as it is."""

import csv
import io
import itertools
from collections.abc import Mapping, Sequence

from components.catalogue.reading.changes import Changes
from components.catalogue.reading.columns import open_columns
from schema import names


def header_of(content: bytes) -> list[str]:
    """The columns of a ``styles.csv``, by their names here."""
    return open_columns(content, Changes())[1].header


def corrected(
    content: bytes, changes: Mapping[int, Mapping[str, str]], additions: Sequence[Mapping[str, str]]
) -> bytes:
    """The sheet in UTF-8.

    Args:
        content: a ``styles.csv`` that can be read.
        changes: line → column → text.
        additions: cells of new rows by column; what the sheet has no column for is left out.
    """
    sheet, columns, records = open_columns(content, Changes())
    header, lines = columns.header, list(sheet.lines)
    while lines and not lines[-1].strip():
        lines.pop()
    found = {record.line: record.fields for record in records}
    starts = [*sorted(found), len(lines) + 1]
    for start, end in reversed(list(itertools.pairwise(starts))):
        if start in changes:
            fields = _changed(header, found[start], changes[start])
            lines[start - 1 : end - 1] = [_written(fields, sheet.separator)]
    new = [_written([one.get(column, "") for column in header], sheet.separator) for one in additions]
    return "\n".join([*lines, *new, ""]).encode()


def _changed(header: Sequence[str], fields: Sequence[str], cells: Mapping[str, str]) -> list[str]:
    changed = [*fields, *[""] * (len(header) - len(fields))]
    for column, text in cells.items():
        at = header.index(column)
        # A name with bare commas has fields of its own: what stands behind it is counted from the end.
        is_behind = names.PRODUCT_NAME in header and at > header.index(names.PRODUCT_NAME)
        changed[at - len(header) if is_behind else at] = text
    return changed


def _written(fields: Sequence[str], separator: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="").writerow(fields)
    return text.getvalue()
