"""What a catalogue would change in the schema."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.catalogue.schema_gate.words import reasons_of
from schema import names


@dataclass(frozen=True)
class SchemaChange:
    """One feature that the data would change.

    Attributes:
        feature: its name.
        reasons: what the data has that the schema does not allow.
        now: the feature in the schema, as protobuf text; empty if it is not there.
        then: the feature as it would have to be.
    """

    feature: str
    reasons: tuple[str, ...]
    now: str
    then: str


def diff_schema(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, schema: schema_pb2.Schema
) -> list[SchemaChange]:
    """The features of ``schema`` that a catalogue with these statistics does not meet; none if it does."""
    own = schema_of_columns(schema)
    anomalies = tfdv.validate_statistics(statistics, own).anomaly_info
    now, then = _texts(own), _texts(tfdv.update_schema(own, statistics))
    return [
        SchemaChange(name, tuple(reasons_of(info)), now.get(name, ""), then.get(name, ""))
        for name, info in sorted(anomalies.items())
    ]


def updated_schema(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, schema: schema_pb2.Schema
) -> schema_pb2.Schema:
    """``schema``, widened so far that a catalogue with these statistics meets it."""
    updated = tfdv.update_schema(_without(schema, names.MADE_BY_IMPORT), statistics)
    kept = [feature for feature in schema.feature if feature.name in names.MADE_BY_IMPORT]
    result = schema_pb2.Schema()
    result.CopyFrom(updated)
    del result.feature[:]
    result.feature.extend([*kept, *updated.feature])
    return result


def diff_text(changes: Sequence[SchemaChange]) -> str:
    """The changes for a terminal."""
    if not changes:
        return "The catalogue meets the schema."
    return "\n\n".join(
        f"{change.feature}: {'; '.join(change.reasons)}\n{_marked('-', change.now)}\n{_marked('+', change.then)}"
        for change in changes
    )


def schema_of_columns(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """The part of ``schema`` that a catalogue's columns must meet, without what the import makes."""
    return _without(schema, names.MADE_BY_IMPORT)


def _without(schema: schema_pb2.Schema, features: Sequence[str]) -> schema_pb2.Schema:
    result = schema_pb2.Schema()
    result.CopyFrom(schema)
    del result.feature[:]
    result.feature.extend(feature for feature in schema.feature if feature.name not in features)
    return result


def _texts(schema: schema_pb2.Schema) -> dict[str, str]:
    return {feature.name: text_format.MessageToString(feature) for feature in schema.feature}


def _marked(mark: str, text: str) -> str:
    return "\n".join(f"  {mark} {line}" for line in text.splitlines())
