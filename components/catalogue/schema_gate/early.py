"""What SchemaGate would say, long before it is asked: the same rules and the same words, from rows alone."""

from collections.abc import Mapping, Sequence

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from components.catalogue.reading.rows import Row
from components.catalogue.schema_gate.schema_diff import schema_of_columns
from components.catalogue.schema_gate.statistics import rows_statistics
from components.catalogue.schema_gate.words import anomalies_in_words, lacking_labels_in_words, refusal
from components.errors import GateError
from schema import names


def require_schema(
    splits: Mapping[str, Sequence[Row]], schema: schema_pb2.Schema, attributes: Sequence[str] = ()
) -> None:
    """Refuses rows that a run would refuse.

    Args:
        splits: split → its rows; one alone, ``train``, where nobody knows the splits yet.
        schema: what the rows must meet.
        attributes: names of those that the run is asked to learn.

    Raises:
        GateError: they do not meet it; its words are those of the run.
    """
    own = schema_of_columns(schema)
    numbers = {split: rows_statistics(rows) for split, rows in splits.items()}
    words = [
        line
        for split, of in numbers.items()
        for line in anomalies_in_words(split, tfdv.validate_statistics(of, own), of)
    ]
    words += lacking_labels_in_words(numbers[names.TRAIN], attributes)
    if words:
        raise GateError(refusal(words))
