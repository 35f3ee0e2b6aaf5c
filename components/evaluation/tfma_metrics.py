"""The tally of ``classification_metrics`` as a TensorFlow Model Analysis metric."""

import json
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from components.evaluation.classification_metrics import ClassificationTally
from schema import names

BASELINE = "baseline"
"""Name of the model spec that a candidate is compared with."""

FIGURES = ("count", "top_1", "top_5", "macro_f1", "ece", "skill")
PER_CLASS = ("precision", "recall", "f1")
AT_BEST = {"top_1": "top_1_at_best", "skill": "skill_at_best", "ece": "ece_at_best"}
"""Figure → its name with the benefit of the doubt that few rows deserve, which the gates look at."""

CONFUSION = "confusion"
CALIBRATION = "calibration"


class ClassificationMetrics(metric_types.Metric):
    """Figures of one head: those of :data:`FIGURES`, :data:`PER_CLASS` by class id, :data:`AT_BEST`, two tables.

    Rows without a label of the head (:data:`schema.names.UNLABELLED`) are left out, and all rows where a baseline lacks
    the head.

    :data:`AT_BEST` are those of :meth:`ClassificationTally.at_best`; of a baseline the plain ones, so that a
    candidate's best is compared with what the baseline was seen to reach, which is 0 where it was seen nowhere.
    :data:`CONFUSION` has rows of true class id (-1 if training lacks it), predicted class id, count.
    :data:`CALIBRATION` has rows of count, summed confidence, right answers, one a bin of confidence.
    Both are JSON text: of arrays TFMA would subtract the baseline's, whose shape may be another.

    TFMA's own metrics do not fit: its macro average is NaN as soon as one class is absent, and its per-class precision
    compares each score with a fixed threshold instead of taking the best class.
    """

    def __init__(self, name: str = "classification", code: str = ""):
        """Declares the metric.

        Args:
          name: not used in the figures' names.
          code: hash of the source. It computes nothing: as part of the evaluator's configuration it makes TFX evaluate
            anew when the code has changed.
        """
        super().__init__(_computations, name=name, code=code)


def _computations(
    name: str = "",
    eval_config: config_pb2.EvalConfig | None = None,
    model_names: Iterable[str] = ("",),
    output_names: Iterable[str] = ("",),
    **_: Any,
) -> list[metric_types.MetricComputation]:
    computations = []
    for model_name in model_names:
        for output_name in output_names:
            combiner = _TallyCombiner(eval_config, model_name, output_name)
            keys = [combiner.key(figure) for figure in (*FIGURES, *AT_BEST.values(), CONFUSION, CALIBRATION)]
            computations.append(metric_types.MetricComputation(keys=keys, preprocessors=None, combiner=combiner))
    return computations


class _TallyCombiner(beam.CombineFn):
    def __init__(self, eval_config: config_pb2.EvalConfig | None, model_name: str, output_name: str):
        self._eval_config, self._model_name, self._output_name = eval_config, model_name, output_name

    def create_accumulator(self) -> ClassificationTally:
        return ClassificationTally()

    def add_input(
        self, accumulator: ClassificationTally, element: metric_types.StandardMetricInputs
    ) -> ClassificationTally:
        if not self._is_answered(element):
            return accumulator
        rows = metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self._model_name,
            output_name=self._output_name,
            flatten=False,
            squeeze=False,
        )
        for label, scores, _ in rows:
            truth, scores = int(np.reshape(label, -1)[0]), np.reshape(scores, -1)
            if truth != names.UNLABELLED:
                ranked = np.argsort(-scores, kind="stable")[:5]
                accumulator.add(truth, ranked.tolist(), float(scores[ranked[0]]))
        return accumulator

    def _is_answered(self, element: metric_types.StandardMetricInputs) -> bool:
        # A release of an earlier run may lack an attribute that this one has.
        predictions = element.prediction
        return self._output_name in (predictions[self._model_name] if self._model_name else predictions)

    def merge_accumulators(self, accumulators: Iterable[ClassificationTally]) -> ClassificationTally:
        merged = ClassificationTally()
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: ClassificationTally) -> dict[metric_types.MetricKey, float | str]:
        outputs: dict[metric_types.MetricKey, float | str] = {
            self.key(figure): value for figure, value in accumulator.figures().items()
        }
        outputs.update({self.key(name): value for name, value in self._at_best(accumulator).items()})
        counts = [(*pair, count) for pair, count in sorted(accumulator.confusion.items())]
        outputs[self.key(CONFUSION)] = json.dumps(counts)
        outputs[self.key(CALIBRATION)] = json.dumps(accumulator.bins.tolist())
        for row in accumulator.per_class().itertuples():
            # Rows of a label that the training split lacks have no class of their own.
            if row.label >= 0:
                sub_key = metric_types.SubKey(class_id=row.label)
                outputs.update({self.key(figure, sub_key): getattr(row, figure) for figure in PER_CLASS})
        return outputs

    def _at_best(self, tally: ClassificationTally) -> dict[str, float]:
        if self._model_name != BASELINE:
            best = tally.at_best()
        else:
            best = tally.figures() if tally.count else dict.fromkeys(AT_BEST, 0.0)
        return {name: best[figure] for figure, name in AT_BEST.items()}

    def key(self, figure: str, sub_key: metric_types.SubKey | None = None) -> metric_types.MetricKey:
        """The key of one figure."""
        # Thresholds of an EvalConfig are looked up under example_weighted=None; the default would never match.
        return metric_types.MetricKey(
            figure,
            model_name=self._model_name,
            output_name=self._output_name,
            sub_key=sub_key,
            example_weighted=None,
        )


metric_types.register_metric(ClassificationMetrics)
