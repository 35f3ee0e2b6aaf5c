"""Fuzz target: the CSV reader. ``python -m tests.hardening.serving.fuzz.fuzz_rows -max_total_time=45``."""

if __name__ == "__main__":
    import atheris  # noqa: F401 - before what it is to watch

from tests.hardening.serving.fuzz.fuzzing import fuzz, instrumented, kept

with instrumented(["components", "csv"]):
    from components.catalogue.reading.errors import CatalogueError
    from components.catalogue.reading.rows import Rows, parse_rows

from schema import heads as table
from schema import names

HEADER = f"{','.join((names.ID, *table.columns(), names.PRODUCT_NAME, names.YEAR, names.SPLIT_COLUMN))}\n".encode()


def try_rows(content: bytes) -> None:
    """Any content, and any below a header as it should be, is either read or refused by the reader's own error."""
    _try(content)
    _try(HEADER + content)


def _try(content: bytes) -> None:
    try:
        rows = parse_rows(content)
    except CatalogueError as refusal:
        assert str(refusal), "a refusal says why"
        return
    _check(rows, content)


def _check(rows: Rows, content: bytes) -> None:
    ids = [row.id for row in rows.taken]
    assert len(set(ids)) == len(ids) and all(ids), "ids are unique and never empty"
    told = {tuple(label for label in table.columns() if row.cells.get(label)) for row in rows.taken}
    assert all(table.finest().column in one for one in told), "a taken row has an article type"
    assert len(told) <= 1, "a level of the taxonomy is told by every row, or by none"
    lines = [entry.line for entry in (*rows.taken, *rows.rejected)]
    assert len(set(lines)) == len(lines), "a line is taken or rejected, never both"
    at_most = 1 + content.count(b"\n") + content.count(b"\r")
    assert all(1 < line <= at_most for line in lines), "a line is one of the file's"
    assert {entry.line for entry in rows.repaired} <= {row.line for row in rows.taken}, "what is mended is taken"


if __name__ == "__main__":
    fuzz(try_rows, kept("rows"))
