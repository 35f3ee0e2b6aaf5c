"""What a model must show before it is released: one table of thresholds, and TFMA's configuration made from it."""

import json
from collections.abc import Sequence

import tensorflow_model_analysis as tfma

from components.evaluation.tfma_metrics import AT_BEST, BASELINE
from schema import heads as table
from schema import names

THRESHOLDS: dict[str, dict[str, float]] = {
    names.ARTICLE_TYPE: {"skill": 0.3, "ece": 0.25, "top_1_drop": 0.02},
    names.SUB_CATEGORY: {"skill": 0.3, "ece": 0.25, "top_1_drop": 0.02},
    names.MASTER_CATEGORY: {"skill": 0.3, "ece": 0.25, "top_1_drop": 0.02},
}
"""Head → gates on the test split.

``skill``: at least this share of the errors of always saying the commonest label must be avoided; relative, so that it
suits a catalogue of 3 classes and one of 143. ``ece``: at most this expected calibration error. ``top_1_drop``: at most
this much less accuracy than the latest released model on the same rows. All three with the benefit of the doubt that
a small test split deserves (``ClassificationTally.at_best``).
"""

SLICES = (names.GENDER, names.USAGE, names.SEASON)
CANDIDATE = "candidate"


def eval_config(model: str, code: str = "") -> tfma.EvalConfig:
    """How TFMA evaluates the model of that name (one of :data:`schema.heads.MODELS`).

    ``code``, a hash of the source, makes TFX evaluate anew when the code has changed.
    """
    heads = [head.name for head in table.of_model(model)]
    return tfma.EvalConfig(
        model_specs=[_model_spec(CANDIDATE, heads), _model_spec(BASELINE, heads, is_baseline=True)],
        slicing_specs=[tfma.SlicingSpec(), *(tfma.SlicingSpec(feature_keys=[key]) for key in SLICES)],
        metrics_specs=[_metrics_spec(head, code) for head in heads],
    )


def _model_spec(name: str, heads: Sequence[str], is_baseline: bool = False) -> tfma.ModelSpec:
    return tfma.ModelSpec(
        name=name,
        is_baseline=is_baseline,
        model_type="tf_generic",
        signature_name=names.SCORES,
        preprocessing_function_names=[names.LABEL_IDS],
        label_keys={head: names.label_id(head) for head in heads},
    )


def _metrics_spec(head: str, code: str) -> tfma.MetricsSpec:
    gates = THRESHOLDS[head]
    lower = tfma.GenericValueThreshold(lower_bound={"value": gates["skill"]})
    upper = tfma.GenericValueThreshold(upper_bound={"value": gates["ece"]})
    no_worse = tfma.GenericChangeThreshold(
        absolute={"value": -gates["top_1_drop"]}, direction=tfma.MetricDirection.HIGHER_IS_BETTER
    )
    return tfma.MetricsSpec(
        output_names=[head],
        metrics=[
            tfma.MetricConfig(
                class_name="ClassificationMetrics",
                module="components.evaluation.tfma_metrics",
                config=json.dumps({"code": code}),
            )
        ],
        per_slice_thresholds={
            AT_BEST["skill"]: _overall(tfma.MetricThreshold(value_threshold=lower)),
            AT_BEST["ece"]: _overall(tfma.MetricThreshold(value_threshold=upper)),
            AT_BEST["top_1"]: _overall(tfma.MetricThreshold(change_threshold=no_worse)),
        },
    )


def _overall(threshold: tfma.MetricThreshold) -> tfma.PerSliceMetricThresholds:
    # A plain `thresholds` entry would gate each slice, however few rows it has.
    on_all_rows = tfma.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=threshold)
    return tfma.PerSliceMetricThresholds(thresholds=[on_all_rows])
