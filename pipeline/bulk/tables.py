"""Rows as the bytes of a file: Parquet, CSV, or TFRecords of ``tf.train.Example``."""

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from schema.spreadsheets import inert
from serving.client.outputs import cell_text, columns_with, csv_line

Row = Mapping[str, Any]
"""Column → text, float, bool or None, as :func:`serving.client.outputs.row_values` gives it."""

_FLOATS: Final = ("confidence", "familiarity")
_BOOLS: Final = ("review", "agree")


def as_parquet(rows: Sequence[Row], attributes: Sequence[str]) -> bytes:
    """A Parquet file; what a row has not is null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column, _kind(column, attributes)) for column in columns_with(attributes)])
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([_filled(row) for row in rows], schema), content)
    return content.getvalue()


def as_csv(rows: Sequence[Row], attributes: Sequence[str]) -> bytes:
    """A CSV file with a header; no cell of it is a formula to any spreadsheet."""
    columns = columns_with(attributes)
    lines = [csv_line(columns), *(csv_line([inert(cell_text(row.get(column))) for column in columns]) for row in rows)]
    return "".join(lines).encode("utf-8")


def as_tfrecord(rows: Sequence[Row], attributes: Sequence[str]) -> bytes:
    """Records of ``tf.train.Example``: text as bytes, numbers as float32, bools as int64; what is null has no value."""
    import tensorflow as tf

    columns = columns_with(attributes)
    with tempfile.NamedTemporaryFile(suffix=".tfrecord") as file:
        with tf.io.TFRecordWriter(file.name) as writer:
            for row in rows:
                features = {
                    column: _feature(tf, row.get(column) if row.get(column) != "" else None) for column in columns
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString(deterministic=True))
        return file.read()


FORMATS: Final[dict[str, Callable[[Sequence[Row], Sequence[str]], bytes]]] = {
    ".parquet": as_parquet,
    ".csv": as_csv,
    ".tfrecord": as_tfrecord,
}
"""Suffix of an output → what makes the files of it."""


def _kind(column: str, attributes: Sequence[str]) -> Any:
    import pyarrow as pa

    if column in _FLOATS or column in [f"{one}_confidence" for one in attributes]:
        return pa.float64()
    return pa.bool_() if column in _BOOLS else pa.string()


def _filled(row: Row) -> dict[str, Any]:
    return {column: None if value == "" else value for column, value in row.items()}


def _feature(tf: Any, value: Any) -> Any:
    if value is None:
        return tf.train.Feature()
    if isinstance(value, bool):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value)]))
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[str(value).encode("utf-8")]))
