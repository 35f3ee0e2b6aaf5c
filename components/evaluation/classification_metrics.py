"""Quality of a head's answers, tallied a row at a time, so that any number of rows fits in memory."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from components.evidence import wilson_interval

CALIBRATION_BINS = 15


@dataclass
class ClassificationTally:
    """Counts from which every figure of a head follows. Labels may be strings or integers.

    Attributes:
        confusion: rows of each (truth, prediction).
        top_5: rows whose truth is among the five best.
        bins: rows, summed confidence and right answers of each of ``CALIBRATION_BINS`` equal-width bins of confidence.
    """

    confusion: Counter[tuple[Hashable, Hashable]] = field(default_factory=Counter)
    top_5: int = 0
    bins: np.ndarray = field(default_factory=lambda: np.zeros((CALIBRATION_BINS, 3)))

    def add(self, truth: Hashable, ranked: Sequence[Hashable], confidence: float) -> None:
        """Adds one row: its true label, the predicted labels best first (five are enough), the best one's score."""
        self.confusion[truth, ranked[0]] += 1
        self.top_5 += truth in ranked[:5]
        index = min(int(confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1)
        self.bins[index] += (1, confidence, truth == ranked[0])

    def merge(self, other: "ClassificationTally") -> None:
        """Adds all that ``other`` has counted."""
        self.confusion.update(other.confusion)
        self.top_5 += other.top_5
        self.bins += other.bins

    @property
    def count(self) -> int:
        """Rows tallied."""
        return int(self.bins[:, 0].sum())

    @property
    def right(self) -> int:
        """Rows answered with their true label."""
        return round(self.bins[:, 2].sum())

    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of top-1."""
        return wilson_interval(self.right, self.count)

    def figures(self) -> dict[str, float]:
        """``count``, ``top_1``, ``top_5``, ``macro_f1``, ``ece`` and ``skill``; all but the count NaN without rows.

        Macro-F1 is the mean over the classes present in the truth.
        ECE: Guo et al., 2017, equation 3, over equal-width bins. Skill: the share of the majority class's errors that
        the model avoids, ``(top_1 - majority) / (1 - majority)``: 0 is as good as always saying the commonest label.
        """
        count = self.count
        if not count:
            return {"count": 0, **dict.fromkeys(("top_1", "top_5", "macro_f1", "ece", "skill"), float("nan"))}
        top_1 = self.bins[:, 2].sum() / count
        return {
            "count": count,
            "top_1": float(top_1),
            "top_5": self.top_5 / count,
            "macro_f1": float(self.per_class()["f1"].mean()),
            "ece": float(np.abs(self.bins[:, 1] - self.bins[:, 2]).sum() / count),
            "skill": self._skill(float(top_1)),
        }

    def at_best(self) -> dict[str, float]:
        """``top_1``, ``skill`` and ``ece`` as good as they may be in truth.

        The rows are a sample: on a small test split nobody is refused for what may be noise.
        Top-1 is the upper end of Wilson's interval, the skill follows from it, and the ECE is lowered by ``1 / √N``:
        two standard errors of a share of N rows. Where nothing was tallied nothing speaks against the head.
        """
        count = self.count
        if not count:
            return {"top_1": 1.0, "skill": 1.0, "ece": 0.0}
        best = self.interval()[1]
        return {
            "top_1": best,
            "skill": self._skill(best),
            "ece": max(0.0, self.figures()["ece"] - 1 / math.sqrt(count)),
        }

    def _skill(self, top_1: float) -> float:
        majority = max(self._truths().values()) / self.count
        # Where all rows are of one class there is no error of the majority class to avoid.
        return (top_1 - majority) / (1 - majority) if majority < 1 else top_1

    def per_class(self) -> pd.DataFrame:
        """A row per class of the truth: ``label, count, precision, recall, f1``.

        Precision is 0 where the class was never predicted.
        """
        truths, predictions = self._truths(), Counter[Hashable]()
        for (_, prediction), count in self.confusion.items():
            predictions[prediction] += count
        rows = [
            {
                "label": label,
                "count": count,
                "precision": self.confusion[label, label] / max(predictions[label], 1),
                "recall": self.confusion[label, label] / count,
                "f1": 2 * self.confusion[label, label] / (count + predictions[label]),
            }
            for label, count in sorted(truths.items(), key=lambda item: (-item[1], str(item[0])))
        ]
        return pd.DataFrame(rows, columns=["label", "count", "precision", "recall", "f1"])

    def reliability(self) -> pd.DataFrame:
        """A row per bin that holds answers: mean ``confidence``, ``accuracy``, ``count``."""
        count, confidence, right = self.bins[self.bins[:, 0] > 0].T
        return pd.DataFrame({"confidence": confidence / count, "accuracy": right / count, "count": count.astype(int)})

    def confusion_matrix(self, labels: Sequence[Hashable]) -> np.ndarray:
        """int[C, C], truth by prediction, in the order of ``labels``; other labels are left out."""
        index = {label: i for i, label in enumerate(labels)}
        matrix = np.zeros((len(labels), len(labels)), np.int64)
        for (truth, prediction), count in self.confusion.items():
            if truth in index and prediction in index:
                matrix[index[truth], index[prediction]] = count
        return matrix

    def worst_pairs(self, most: int) -> list[tuple[Hashable, Hashable, int]]:
        """The most frequent confusions: (truth, prediction, rows)."""
        wrong = ((*pair, count) for pair, count in self.confusion.items() if pair[0] != pair[1] and count)
        return sorted(wrong, key=lambda row: (-row[2], str(row[0]), str(row[1])))[:most]

    def _truths(self) -> Counter[Hashable]:
        truths: Counter[Hashable] = Counter()
        for (truth, _), count in self.confusion.items():
            truths[truth] += count
        return truths
