"""What a run would find out after minutes or hours is looked at before any data is read."""

import dataclasses
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from components.catalogue.reading.levels import header_of
from components.catalogue.reading.rows import years_of
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.splits import SplitBy
from components.release.store import ReleaseStore
from components.storage.location import Location
from pipeline.config import Layout, PipelineConfig
from pipeline.errors import RunError
from pipeline.running.run_record import require_usable_record
from schema import heads as table
from schema import names
from schema.file_names import require_plain
from schema.release_folder import ReleaseError


def require_plain_paths(config: PipelineConfig) -> None:
    """Raises ValueError where a path of the run would be taken for a pattern."""
    require_plain(config.layout.root, "root")
    require_plain(str(config.data), "catalogue")


def fitted(config: PipelineConfig) -> PipelineConfig:
    """The configuration with the levels of the taxonomy that its catalogue tells.

    Raises:
        ValueError: the catalogue lacks a column that is asked for, as :func:`require_columns` says.
        CatalogueError: it cannot be opened, or lacks one that must be there.
    """
    header = require_columns(config.data, config.split_by, config.attributes)
    return dataclasses.replace(config, levels=table.levels_told(header))


def require_columns(data: Location, split_by: str, attributes: Collection[str]) -> list[str]:
    """Sees to it that a catalogue has what it is to be split by, and the attributes that are to be learnt.

    Args:
        data: the catalogue.
        split_by: a :class:`SplitBy`.
        attributes: heads or columns.

    Returns:
        Its columns.

    Raises:
        ValueError: it has not, or there is no such attribute.
        CatalogueError: it cannot be opened, or lacks a column that must be there.
    """
    content = open_catalogue(data).styles()
    header = header_of(content)
    asked = table.columns(head for head in table.chosen(attributes) if head.level is None)
    if lacking := [column for column in asked if column not in header]:
        raise ValueError(
            f"attributes {', '.join(lacking)}, but {names.STYLES_CSV} of {data} has no such column; it has "
            f"{', '.join(header)}"
        )
    if split_by == SplitBy.YEAR.value and names.SPLIT_COLUMN not in header:
        _require_years(data, content, header)
    return header


def untold_in_words(config: PipelineConfig) -> str:
    """What a release of this configuration will not tell, for want of a column; "" where it tells every level."""
    untold = [head.column for head in table.taxonomy() if head.name not in config.levels]
    if not untold:
        return ""
    told = ", ".join(head.column for head in table.taxonomy() if head.name in config.levels)
    return f"{names.STYLES_CSV} has no {' and no '.join(untold)}: the release will tell {told} alone"


def _require_years(data: Location, content: bytes, header: Sequence[str]) -> None:
    if names.YEAR not in header:
        raise ValueError(
            f"split by year, but {names.STYLES_CSV} of {data} has no column {names.YEAR}; it has "
            f"{', '.join(header)}; split by group or row"
        )
    first, other = _two_years(years_of(content))
    if not other:
        found = f"holds {first} in every row that has one" if first else "is empty in every row"
        raise ValueError(
            f"split by year, but the column {names.YEAR} of {data} {found}; it must hold two years or more, or split "
            "by group or row"
        )


def _two_years(years: Iterator[str]) -> tuple[str, str]:
    """The first, and the next that is another; "" where there is none."""
    first = next(years, "")
    return first, next((year for year in years if year != first), "")


def require_schema(path: Path) -> None:
    """Raises ValueError where the file holds no schema, or one without a feature that every example has."""
    # Here, since the serving environment, which has no TensorFlow, tells this command's options too.
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    try:
        schema = text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ValueError(f"{path} is no TFMD schema in protobuf text: {error}") from error
    lacking = {*names.MADE_BY_IMPORT} - {feature.name for feature in schema.feature}
    if lacking:
        raise ValueError(
            f"the schema {path} lacks the feature {', '.join(sorted(lacking))}, which every example has; begin with a "
            "copy of the one that Lookbook comes with, or with `lookbook schema update`"
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
