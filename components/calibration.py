"""Confidence that a person can trust: temperature scaling and the review threshold, fitted on the eval split."""

import numpy as np
from scipy import optimize, special

from schema import names

_LOG_TEMPERATURE_BOUNDS = (-2.5, 2.5)
_FEWEST_ROWS = 20
"""With fewer rows than this a fit would be noise: the temperature stays 1."""


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature T that makes ``softmax(logits / T)`` most likely.

    Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2. Scaling leaves the ranking as it is.

    Args:
      logits: float[N, C].
      labels: int[N]; rows with a label below 0 are left out.

    Returns:
      T, above 0; 1.0 where there are too few rows to fit it.
    """
    known = labels >= 0
    if known.sum() < _FEWEST_ROWS:
        return 1.0
    logits, labels = logits[known].astype(np.float64), labels[known]

    def negative_log_likelihood(log_temperature: float) -> float:
        scaled = special.log_softmax(logits / np.exp(log_temperature), axis=1)
        return -scaled[np.arange(len(labels)), labels].mean()

    fit = optimize.minimize_scalar(negative_log_likelihood, bounds=_LOG_TEMPERATURE_BOUNDS, method="bounded")
    return float(np.exp(fit.x))


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
