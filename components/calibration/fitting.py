"""Confidence that a person can trust: calibrated scores and the review threshold, both fitted on the eval split."""

import numpy as np
from scipy import optimize, special

from components.evidence import FEWEST_EVAL_ROWS
from components.model.calibration import Calibration
from schema.model_card import ALWAYS_REVIEW

_LOG_TEMPERATURE_BOUNDS = (-2.5, 2.5)
_LARGEST_CURVATURE = 2.0
_FEWEST_ROWS_TO_BEND = 500
"""With fewer rows a fit would be noise, and the curvature stays 0; below FEWEST_EVAL_ROWS the temperature stays 1."""


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """The calibration that makes the labels most likely, and one more row whose label is the runner-up.

    Without that row, few rows that are all right would make every answer wholly sure, also those about pictures like
    none of them. With it N right rows promise about 1 - 1/N, as Laplace's rule of succession does; thousands of rows
    outweigh it.

    Args:
        logits: float[N, C].
        labels: int[N]; rows with a label below 0 are left out.

    Returns:
        It; one that changes nothing where there are too few rows to fit it.
    """
    known = labels >= 0
    if known.sum() < FEWEST_EVAL_ROWS:
        return Calibration()
    logits, labels = logits[known].astype(np.float64), labels[known]
    gaps = logits.max(axis=1, keepdims=True) - logits

    runner_up = np.argsort(gaps, axis=1, kind="stable")[:, min(1, gaps.shape[1] - 1)]
    rows = np.arange(len(labels))

    def negative_log_likelihood(point: np.ndarray) -> float:
        scaled = special.log_softmax(Calibration(np.exp(point[0]), point[1]).logits(gaps), axis=1)
        return -(scaled[rows, labels].sum() + scaled[rows, runner_up].mean()) / (len(rows) + 1)

    bounds = [_LOG_TEMPERATURE_BOUNDS, (0.0, _LARGEST_CURVATURE if len(labels) >= _FEWEST_ROWS_TO_BEND else 0.0)]
    fit = optimize.minimize(negative_log_likelihood, [0.0, 0.0], bounds=bounds, method="L-BFGS-B")
    return Calibration(float(np.exp(fit.x[0])), float(fit.x[1]))


def review_threshold(confidences: np.ndarray, is_right: np.ndarray, precision: float) -> tuple[float, float]:
    """The lowest confidence at and above which at least ``precision`` of the answers are right, and one more row wrong.

    Of many thresholds the lowest that held is one that was lucky. Without that row, which :func:`fit_calibration` adds
    too, 20 rows that were asked for .97 kept .943 (DECISIONS.md, 131). So ``precision`` takes ``1 / (1 - precision)``
    rows at least: 33 for .97, and no number of them for 1.

    Args:
        confidences: float[N], of the best class.
        is_right: bool[N].
        precision: in [0, 1].

    Returns:
        The threshold, and the share that is right at or above it. Where no threshold reaches the precision the
        threshold is above 1, so that every answer asks for a look, and the share is 0.
    """
    if not len(confidences):
        return ALWAYS_REVIEW, 0.0
    order = np.argsort(-confidences, kind="stable")
    confidences, is_right = confidences[order], is_right[order]
    right, counts = np.cumsum(is_right), np.arange(1, len(is_right) + 1)
    # Answers of one confidence stand or fall together: only the last of each counts.
    is_last = np.append(confidences[1:] != confidences[:-1], True)
    reached = np.flatnonzero((right / (counts + 1) >= precision) & is_last)
    if not len(reached):
        return ALWAYS_REVIEW, 0.0
    lowest = reached[-1]
    return float(confidences[lowest]), float(right[lowest] / counts[lowest])
