"""TFDV's anomalies in words: what is wrong, where, what the data has, and what the schema wants."""

from collections.abc import Iterator
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from schema import heads as table

_TYPES = {schema_pb2.BYTES: "text", schema_pb2.INT: "whole numbers", schema_pb2.FLOAT: "numbers"}


def anomalies_in_words(
    split: str, anomalies: anomalies_pb2.Anomalies, statistics: statistics_pb2.DatasetFeatureStatisticsList
) -> list[str]:
    """A sentence for each feature of ``split`` that has an anomaly, and one for the split as a whole if it has."""
    wanted = {feature.name: feature for feature in anomalies.baseline.feature}
    found = features_of(statistics)
    lines = [
        f"{split}: {name}: {'; '.join(reasons_of(info))} (schema: {_wanted(wanted.get(name))}; data: "
        f"{_found(found.get(name), statistics.datasets[0].num_examples)})"
        for name, info in sorted(anomalies.anomaly_info.items())
    ]
    if anomalies.HasField("dataset_anomaly_info"):
        lines.append(f"{split}: {'; '.join(reasons_of(anomalies.dataset_anomaly_info))}")
    return lines


def features_of(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> dict[str, Any]:
    """Feature → its statistics."""
    return {feature.path.step[0]: feature for feature in statistics.datasets[0].features}


def reasons_of(info: anomalies_pb2.AnomalyInfo) -> list[str]:
    """What TFDV says about one feature."""
    return [reason.description.rstrip(".") for reason in info.reason] or [info.description.rstrip(".")]


def _wanted(feature: schema_pb2.Feature | None) -> str:
    return ", ".join(_expectations(feature)) if feature else "knows no such feature"


def _expectations(feature: schema_pb2.Feature) -> Iterator[str]:
    kind = _TYPES.get(feature.type, "any type")
    bounds = feature.int_domain if feature.HasField("int_domain") else None
    yield f"{kind} from {bounds.min} to {bounds.max}" if bounds else kind
    yield "in every example" if feature.presence.min_fraction >= 1 else "may be missing"
    if feature.HasField("unique_constraints"):
        yield f"{feature.unique_constraints.min} to {feature.unique_constraints.max} different values"


def _found(feature: Any, examples: int) -> str:
    return ", ".join(_facts(feature, examples)) if feature else "no such column"


def _facts(feature: Any, examples: int) -> Iterator[str]:
    statistics = getattr(feature, feature.WhichOneof("stats"))
    if feature.HasField("num_stats"):
        yield f"numbers from {statistics.min:g} to {statistics.max:g}"
    if feature.HasField("string_stats"):
        yield f"text, {statistics.unique} different values"
    yield f"in {statistics.common_stats.num_non_missing} of {examples} examples"


def lacking_types_in_words(training: statistics_pb2.DatasetFeatureStatisticsList) -> list[str]:
    """A sentence if the training split holds a single article type. The schema cannot ask this of one split alone."""
    column = table.taxonomy()[-1].column
    finest = features_of(training).get(column)
    if finest is None or finest.string_stats.unique != 1:
        return []
    return [f"train: {column}: all rows have the same one; a classifier needs 2 or more to tell apart"]
