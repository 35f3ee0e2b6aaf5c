"""TFDV's anomalies in words: what is wrong, where, what the data has, and what the schema wants."""

from collections.abc import Iterator, Sequence
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


def lacking_labels_in_words(
    training: statistics_pb2.DatasetFeatureStatisticsList, attributes: Sequence[str] = ()
) -> list[str]:
    """Sentences on what the training split holds too little of to learn: the schema cannot ask this of one split alone.

    One if there is a single article type, and one for each of these attributes that has fewer than two values.
    """
    found = features_of(training)
    asked = [head.column for head in table.chosen(attributes) if head.level is None]
    finest = table.finest().column
    return [
        *(f"train: {finest}: {_TOO_FEW[1]}" for _ in range(finest in found and _different(found[finest]) == 1)),
        *(
            f"train: {column}: {_TOO_FEW[different]}; or leave it out of the attributes"
            for column in asked
            if (different := _different(found.get(column))) < 2
        ),
    ]


_TOO_FEW = (
    "no row has one; a classifier needs 2 or more to tell apart",
    "all rows have the same one; a classifier needs 2 or more to tell apart",
)


def _different(feature: Any) -> int:
    """How many different values a column holds; 2 stands for more."""
    if feature is None or not getattr(feature, feature.WhichOneof("stats")).common_stats.num_non_missing:
        return 0
    if feature.HasField("num_stats"):
        return 1 + (feature.num_stats.min < feature.num_stats.max)
    return min(feature.string_stats.unique, 2)


def refusal(words: list[str]) -> str:
    """Why a run stops, from all that is wrong with the data."""
    lines = "".join(f"\n  - {line}" for line in words)
    return (
        f"the data does not meet the schema:{lines}\n"
        "Mend the catalogue. If it is right as it is, `lookbook schema diff` shows how the schema would have to change"
    )
