"""Confidence that a person can trust: calibrated scores and the review threshold, both fitted on the eval split."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special

from schema import names

_LOG_TEMPERATURE_BOUNDS = (-2.5, 2.5)
_LARGEST_CURVATURE = 2.0
_FEWEST_ROWS, _FEWEST_ROWS_TO_BEND = 20, 500
"""With fewer rows a fit would be noise: the temperature stays 1, and the curvature 0."""


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities: ``softmax(-(g + c·g²) / T)`` of each class's gap g to the best logit.

    With a curvature c of 0 it is temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017,
    section 4.2). That alone cannot mend what label smoothing and mixup do, which press the unlikely classes up to a
    floor: it has to choose between sharpening those and softening the close rivals. The curvature does the one, the
    temperature the other. The ranking stays as it is, since c is never below 0.

    Attributes:
      temperature: T, above 0.
      curvature: c, at least 0.
    """

    temperature: float = 1.0
    curvature: float = 0.0

    def logits(self, gaps: Any) -> Any:
        """Calibrated logits of gaps, which are at least 0; arrays and tensors of any shape."""
        return -(gaps + self.curvature * gaps * gaps) / self.temperature

    def gaps(self, logits: np.ndarray) -> np.ndarray:
        """The gaps that calibrated logits, 0 at best, came from: the inverse of :meth:`logits`."""
        scaled = -self.temperature * logits
        return 2 * scaled / (1 + np.sqrt(1 + 4 * self.curvature * scaled))


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """The calibration that makes the labels most likely.

    Args:
      logits: float[N, C].
      labels: int[N]; rows with a label below 0 are left out.

    Returns:
      It; one that changes nothing where there are too few rows to fit it.
    """
    known = labels >= 0
    if known.sum() < _FEWEST_ROWS:
        return Calibration()
    gaps, labels = _gaps(logits[known].astype(np.float64)), labels[known]

    def negative_log_likelihood(point: np.ndarray) -> float:
        scaled = special.log_softmax(Calibration(np.exp(point[0]), point[1]).logits(gaps), axis=1)
        return -scaled[np.arange(len(labels)), labels].mean()

    bounds = [_LOG_TEMPERATURE_BOUNDS, (0.0, _LARGEST_CURVATURE if len(labels) >= _FEWEST_ROWS_TO_BEND else 0.0)]
    fit = optimize.minimize(negative_log_likelihood, [0.0, 0.0], bounds=bounds, method="L-BFGS-B")
    return Calibration(float(np.exp(fit.x[0])), float(fit.x[1]))


def calibrated_scores(logits: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Probabilities, float of the kind and shape of the logits, [N, C]."""
    return special.softmax(calibration.logits(_gaps(logits)), axis=1)


def _gaps(logits: np.ndarray) -> np.ndarray:
    return logits.max(axis=1, keepdims=True) - logits


def review_threshold(confidences: np.ndarray, is_right: np.ndarray, precision: float) -> tuple[float, float]:
    """The lowest confidence at and above which at least ``precision`` of the answers are right.

    Args:
      confidences: float[N], of the best class.
      is_right: bool[N].
      precision: in [0, 1].

    Returns:
      The threshold, and the share that is right at or above it. Where no threshold reaches the precision the
      threshold is above 1, so that every answer asks for a look, and the share is 0.
    """
    if not len(confidences):
        return names.ALWAYS_REVIEW, 0.0
    order = np.argsort(-confidences, kind="stable")
    confidences, is_right = confidences[order], is_right[order]
    shares = np.cumsum(is_right) / np.arange(1, len(is_right) + 1)
    # Answers of one confidence stand or fall together: only the last of each counts.
    is_last = np.append(confidences[1:] != confidences[:-1], True)
    reached = np.flatnonzero((shares >= precision) & is_last)
    if not len(reached):
        return names.ALWAYS_REVIEW, 0.0
    return float(confidences[reached[-1]]), float(shares[reached[-1]])
