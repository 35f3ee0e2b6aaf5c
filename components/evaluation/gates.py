"""What a model must show before it is released: one table of thresholds, and TFMA's configuration made from it."""

import json
from collections.abc import Mapping, Sequence

from tensorflow_model_analysis.proto import config_pb2

from components.evaluation.tfma_metrics import AT_BEST, BASELINE
from components.evidence import LEAST_SKILL
from schema import heads as table
from schema import names

OF_TAXONOMY = {"skill": LEAST_SKILL, "ece": 0.25, "top_1_drop": 0.02}
OF_ATTRIBUTES = {"ece": 0.25, "top_1_drop": 0.05}
"""Gates on the test split of a head of the taxonomy, and of an attribute.

``skill``: at least this share of the errors of always saying the commonest label must be avoided; relative, so that it
suits a catalogue of 3 classes and one of 143. ``ece``: at most this expected calibration error. ``top_1_drop``: at most
this much less accuracy than the latest released model on the same rows. All three with the benefit of the doubt that
a small test split deserves (``ClassificationTally.at_best``); too small a one is refused before any training
(``components.catalogue.report.enough``).

An attribute needs no skill: whether a photo shows the season is for its calibrated confidence and its review threshold
to say, and no reason to withhold the taxonomy. It is refused where its confidence is wrong, or where it got clearly
worse.
"""

SLICES = (names.GENDER, names.USAGE, names.SEASON)
CANDIDATE = "candidate"


def eval_config(heads: Sequence[table.Head], code: str = "") -> config_pb2.EvalConfig:
    """How TFMA evaluates a model with these heads.

    ``code``, a hash of the source, makes TFX evaluate anew when the code has changed.
    """
    return config_pb2.EvalConfig(
        model_specs=[_model_spec(CANDIDATE, heads), _model_spec(BASELINE, heads, is_baseline=True)],
        slicing_specs=[config_pb2.SlicingSpec(), *(config_pb2.SlicingSpec(feature_keys=[key]) for key in SLICES)],
        metrics_specs=[_metrics_spec(head, code) for head in heads],
    )


def _model_spec(name: str, heads: Sequence[table.Head], is_baseline: bool = False) -> config_pb2.ModelSpec:
    return config_pb2.ModelSpec(
        name=name,
        is_baseline=is_baseline,
        model_type="tf_generic",
        signature_name=names.SCORES,
        preprocessing_function_names=[names.LABEL_IDS],
        label_keys={head.name: names.label_id(head.name) for head in heads},
    )


def _metrics_spec(head: table.Head, code: str) -> config_pb2.MetricsSpec:
    return config_pb2.MetricsSpec(
        output_names=[head.name],
        metrics=[
            config_pb2.MetricConfig(
                class_name="ClassificationMetrics",
                module="components.evaluation.tfma_metrics",
                config=json.dumps({"code": code}),
            )
        ],
        per_slice_thresholds=_thresholds(OF_ATTRIBUTES if head.level is None else OF_TAXONOMY),
    )


def _thresholds(gates: Mapping[str, float]) -> dict[str, config_pb2.PerSliceMetricThresholds]:
    upper = config_pb2.GenericValueThreshold(upper_bound={"value": gates["ece"]})
    no_worse = config_pb2.GenericChangeThreshold(
        absolute={"value": -gates["top_1_drop"]}, direction=config_pb2.MetricDirection.HIGHER_IS_BETTER
    )
    thresholds = {
        AT_BEST["ece"]: config_pb2.MetricThreshold(value_threshold=upper),
        AT_BEST["top_1"]: config_pb2.MetricThreshold(change_threshold=no_worse),
    }
    if "skill" in gates:
        lower = config_pb2.GenericValueThreshold(lower_bound={"value": gates["skill"]})
        thresholds[AT_BEST["skill"]] = config_pb2.MetricThreshold(value_threshold=lower)
    return {figure: _overall(threshold) for figure, threshold in thresholds.items()}


def _overall(threshold: config_pb2.MetricThreshold) -> config_pb2.PerSliceMetricThresholds:
    # A plain `thresholds` entry would gate each slice, however few rows it has.
    on_all_rows = config_pb2.PerSliceMetricThreshold(slicing_specs=[config_pb2.SlicingSpec()], threshold=threshold)
    return config_pb2.PerSliceMetricThresholds(thresholds=[on_all_rows])
