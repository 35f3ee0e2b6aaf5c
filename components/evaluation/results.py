"""Reads what the Evaluator wrote: figures per head, and the gates that said no, in words."""

import base64
import json
import math
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.writers import eval_config_writer

from components.evaluation import gates
from components.evaluation.classification_metrics import ClassificationTally
from components.evaluation.tfma_metrics import BASELINE, CALIBRATION, CONFUSION, FIGURES
from schema import names

NOT_LEARNED: Final = "(not in training)"
"""Stands for the true labels that the training split has no row of."""

_HeadMetrics = dict[str, Any]
_Slices = dict[tuple, dict[str, dict[str, _HeadMetrics]]]


class EvaluationResult:
    """What one evaluation of one model found."""

    def __init__(self, uri: str):
        """Loads the evaluation artifact at ``uri``."""
        self._uri = uri
        config = eval_config_writer.load_eval_run(uri)[0]
        # TFMA names models in its results only where a baseline stood beside the candidate.
        self._has_baseline = len(config.model_specs) > 1
        self._slices = _slices(uri, gates.CANDIDATE if self._has_baseline else None)

    def figures(self) -> dict[str, dict[str, float]]:
        """Head → figures of :data:`components.evaluation.tfma_metrics.FIGURES` over all rows."""
        return _figures_by_head(self._slices)

    def baseline_figures(self) -> dict[str, dict[str, float]]:
        """The same figures of the latest release, on the same rows; empty where there was none."""
        return _figures_by_head(_slices(self._uri, BASELINE)) if self._has_baseline else {}

    def slice_figures(self) -> list[tuple[str, str, dict[str, float]]]:
        """Rows of (head, slice as ``column=value``, figures), without the slice of all rows."""
        return sorted(
            (head, ", ".join(f"{column}={value}" for column, value in key), _figures(metrics[""]))
            for key in self._slices
            if key
            for head, metrics in _heads(self._slices, key).items()
        )

    def tally(self, head: str, labels: list[str]) -> ClassificationTally:
        """Confusion and calibration counts of ``head`` over all rows, by label. The ``top_5`` count is not kept.

        True labels that the training split lacks are :data:`NOT_LEARNED`.
        """
        metrics = _heads(self._slices, ()).get(head, {}).get("")
        if metrics is None:
            return ClassificationTally()
        name = {**dict(enumerate(labels)), names.UNKNOWN_LABEL: NOT_LEARNED}
        rows = _table(metrics[CONFUSION])
        confusion: Counter[tuple[Hashable, Hashable]] = Counter(
            {(name[truth], name[prediction]): count for truth, prediction, count in rows}
        )
        return ClassificationTally(confusion=confusion, bins=np.asarray(_table(metrics[CALIBRATION])))

    def refusals(self) -> list[str]:
        """A sentence for each gate that said no; empty where the model may be released."""
        result = tfma.load_validation_result(self._uri)
        if result.validation_ok:
            return []
        if not self.figures():
            return ["the test split has no rows, so nothing could be measured"]
        return [_sentence(failure) for part in result.metric_validations_per_slice for failure in part.failures]


def plain_figures(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Figures as JSON has them, which knows no NaN: None where nothing could be measured."""
    return {name: None if math.isnan(value) else value for name, value in figures.items()}


def _slices(uri: str, model_name: str | None) -> _Slices:
    return dict(tfma.load_eval_result(uri, model_name=model_name).slicing_metrics)


def _heads(slices: _Slices, key: tuple) -> dict[str, dict[str, _HeadMetrics]]:
    return {head: metrics for head, metrics in slices.get(key, {}).items() if head}


def _figures_by_head(slices: _Slices) -> dict[str, dict[str, float]]:
    return {head: _figures(metrics[""]) for head, metrics in _heads(slices, ()).items()}


def _figures(metrics: _HeadMetrics) -> dict[str, float]:
    values = {name: float(metrics.get(name, {}).get("doubleValue", math.nan)) for name in FIGURES}
    return {**values, "count": int(values["count"])}


def _table(value: dict[str, Any]) -> list[list[Any]]:
    # Text comes out of TFMA's results as base64.
    return json.loads(base64.b64decode(value["bytesValue"]))


def _sentence(failure: Any) -> str:
    key, threshold = failure.metric_key, failure.metric_threshold
    if threshold.HasField("change_threshold"):
        gate = f"must be at least {threshold.change_threshold.absolute.value:g} against the latest release"
    elif threshold.value_threshold.HasField("lower_bound"):
        gate = f"must be at least {threshold.value_threshold.lower_bound.value:g}"
    else:
        gate = f"must be at most {threshold.value_threshold.upper_bound.value:g}"
    value = failure.message.strip() or f"is {failure.metric_value.double_value.value:.4f}"
    return f"{key.output_name}: {key.name} {value} on the test split; it {gate}"
