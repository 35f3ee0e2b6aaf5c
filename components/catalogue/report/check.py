"""Looks a catalogue over without a pipeline: the same rules, the same report."""

from collections.abc import Callable, Container, Iterable, Iterator

from components.catalogue.reading.fingerprint import fingerprint
from components.catalogue.reading.pictures import CheckedRows, check_pictures
from components.catalogue.reading.rows import Rows, RowStream, stream_rows
from components.catalogue.reading.source import Catalogue, open_catalogue
from components.catalogue.report.report import Leftovers, Report, make_report
from components.catalogue.splitting.plan import Plan, chunks_of, lines_within, make_plan
from components.catalogue.splitting.splits import SplitBy
from components.storage.location import Location
from schema.file_names import as_written


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
    lines = lines_within(stream_rows(catalogue), limit) if limit else None
    stream = stream_rows(catalogue)
    ids: set[str] = set()
    plan = make_plan(_checked(catalogue, chunks_of(stream, lines, ids), progress), split_by)
    return make_report(str(path), fingerprint(path), plan, leftovers(catalogue, stream, ids)), plan


def leftovers(catalogue: Catalogue, stream: RowStream, ids: Container[str]) -> Leftovers:
    """What no row of the whole ``styles.csv`` uses, be the row taken or not, and what of it was changed to be read.

    ``stream`` was read to its end, and ``ids`` are those of all of its rows.
    """
    images = [name for stem, name in catalogue.images.items() if stem not in ids] + catalogue.spare_files
    return Leftovers(tuple(sorted(map(as_written, images))), tuple(stream.ignored_columns), stream.changes.all())


def _checked(catalogue: Catalogue, chunks: Iterable[Rows], progress: Callable[[int], object]) -> Iterator[CheckedRows]:
    for chunk in chunks:
        yield check_pictures(catalogue, chunk)
        progress(len(chunk.taken))
