"""What a run would find out after minutes or hours is looked at before any data is read."""

import os

from components.catalogue.reading.rows import header_of
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.splits import SplitBy
from components.release.store import ReleaseStore
from pipeline.config import Layout, PipelineConfig
from pipeline.errors import RunError
from pipeline.running.run_record import require_usable_record
from schema import heads as table
from schema import names
from schema.plain_paths import require_plain
from schema.release_folder import ReleaseError


def require_plain_paths(config: PipelineConfig) -> None:
    """Raises ValueError where a path of the run would be taken for a pattern."""
    require_plain(config.layout.root, "root")
    require_plain(config.data, "catalogue")


def require_split_columns(config: PipelineConfig) -> None:
    """Sees to it that the catalogue has the column that it is to be split by.

    Raises:
        ValueError: it has not.
        CatalogueError: it cannot be opened.
    """
    if config.split_by == SplitBy.YEAR.value:
        header = header_of(open_catalogue(config.data).styles())
        if not {names.YEAR, names.SPLIT_COLUMN} & set(header):
            raise ValueError(
                f"split by year, but {names.STYLES_CSV} of {config.data} has no column {names.YEAR}; it has "
                f"{', '.join(header)}; split by group or row"
            )


def require_usable_root(layout: Layout) -> None:
    """Sees to it that what lies below the root can be worked with, and clears up what a killed release left.

    Raises:
        RunError: something is damaged, not whole, or cannot be written.
    """
    models = (layout.releases / model for model in table.MODELS)
    for folder in (layout.root, layout.artifacts, layout.logs, layout.releases, *models):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise RunError(f"{folder} cannot be written; give yourself the right to, or give another --root")
    require_usable_record(layout)
    store = ReleaseStore(layout.releases)
    try:
        store.require_whole()
        store.recover()
    except (ReleaseError, OSError) as error:
        raise RunError(str(error)) from error
