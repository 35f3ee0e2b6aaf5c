"""Looks a catalogue over without a pipeline: the same rules, the same report."""

from collections.abc import Callable, Iterator
from typing import Final

from components.catalogue.reading.fingerprint import fingerprint
from components.catalogue.reading.pictures import CheckedRows, check_pictures
from components.catalogue.reading.rows import Rows, read_rows
from components.catalogue.reading.source import Catalogue, open_catalogue
from components.catalogue.report.report import Leftovers, Report, make_report
from components.catalogue.splitting.plan import Plan, limited, make_plan
from components.catalogue.splitting.splits import SplitBy
from components.storage.location import Location
from schema.file_names import as_written

ROWS_AT_ONCE: Final = 512


def check_catalogue(path: Location, limit: int = 0, progress: Callable[[int], object] = lambda rows: None) -> Report:
    """What is wrong with the catalogue at ``path``: the report of :func:`look_over`."""
    return look_over(path, limit, progress)[0]


def look_over(
    path: Location,
    limit: int = 0,
    progress: Callable[[int], object] = lambda rows: None,
    split_by: SplitBy = SplitBy.GROUP,
) -> tuple[Report, Plan]:
    """What is wrong with the catalogue at ``path``, and what training on it would see, row by row.

    Args:
        path: a folder or zip with ``styles.csv`` and ``images/``.
        limit: look at this many rows, picked by the hash of their id; 0 for all.
        progress: called with the number of rows looked at since the last call.
        split_by: what rows have in common that share a split.

    Raises:
        CatalogueError: it cannot be read at all.
    """
    catalogue = open_catalogue(path)
    every_row = read_rows(catalogue)
    rows = limited(every_row, limit)
    plan = make_plan(_checked(catalogue, rows, progress), split_by)
    return make_report(str(path), fingerprint(path), plan, leftovers(catalogue, every_row)), plan


def leftovers(catalogue: Catalogue, rows: Rows) -> Leftovers:
    """What no row of the whole ``styles.csv`` uses, be the row taken or not, and what of it was changed to be read."""
    ids = rows.ids
    images = [name for stem, name in catalogue.images.items() if stem not in ids] + catalogue.spare_files
    return Leftovers(tuple(sorted(map(as_written, images))), tuple(rows.ignored_columns), rows.changes.all())


def _checked(catalogue: Catalogue, rows: Rows, progress: Callable[[int], object]) -> Iterator[CheckedRows]:
    for chunk in rows.chunks(ROWS_AT_ONCE):
        yield check_pictures(catalogue, chunk)
        progress(len(chunk.taken))
