"""Statistics that are worth their time: of pictures only that they are there, of text its commonest values."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.catalogue.reading.rows import Row, read_rows
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.plan import limited
from components.storage.location import Location
from schema import names

TOP_VALUES: Final = 50


def statistics_options() -> tfdv.StatsOptions:
    """Options for StatisticsGen: it must not count pictures as words, nor hold every id in memory."""
    image = schema_pb2.Feature(name=names.IMAGE, type=schema_pb2.BYTES, image_domain=schema_pb2.ImageDomain())
    return tfdv.StatsOptions(
        schema=schema_pb2.Schema(feature=[image]), num_top_values=TOP_VALUES, use_sketch_based_topk_uniques=True
    )


def catalogue_statistics(path: Location, limit: int = 0) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics of the columns of a catalogue, from the rows that an import would take; no picture is opened.

    Args:
        path: folder or zip.
        limit: look at this many rows, picked by the hash of their id; 0 for all.

    Raises:
        CatalogueError: it cannot be read.
    """
    return rows_statistics(limited(read_rows(open_catalogue(path)), limit).taken)


def rows_statistics(rows: Sequence[Row]) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics of the columns of ``rows``."""
    columns = pd.DataFrame([row.cells for row in rows])
    if names.YEAR in columns:
        columns[names.YEAR] = pd.to_numeric(columns[names.YEAR]).astype("Int64")
    return tfdv.generate_statistics_from_dataframe(columns, statistics_options())
