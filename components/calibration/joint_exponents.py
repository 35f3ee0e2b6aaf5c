"""Fits how much each part counts in the joint answer, on the eval split."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from components.calibration.joint_answer import JointAnswer
from schema import names
from schema.model_card import PATH

_PRIOR = {names.ARTICLE_TYPE: 1.0, PATH: 0.5}
_PRIOR_OF_A_LEVEL = 0.3
_PRIOR_DEVIATION = 0.5
"""What is believed before a row is seen, and how firmly: some twenty rows outweigh it, and without rows it stays."""

_LARGEST = 2.0
_CURVE_POINTS = 21


@dataclass(frozen=True)
class JointFit:
    """Fitted exponents and what others would have been worth.

    Attributes:
        exponents: by head of the taxonomy, and :data:`schema.model_card.PATH`.
        curve: each exponent varied the others as fitted: columns ``exponent``, ``value``, ``log_loss`` (of the
          true path, natural logarithm) and ``all_right`` (share of rows whose path is the true one), on the eval split.
    """

    exponents: dict[str, float]
    curve: pd.DataFrame


def fit_exponents(joint: JointAnswer, scores: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]) -> JointFit:
    """The exponents that make the true paths most likely, and one more row whose path is the runner-up.

    The joint answer is a log-linear model of the path, so its likelihood has a single maximum, and its confidence is
    calibrated by the same fit. A Gaussian prior keeps a handful of rows from saying anything strange. The one more row
    is that of :func:`components.calibration.fitting.fit_calibration`, for the same reason: few rows that are all right
    must not make the heads' doubts about other pictures vanish.

    Args:
        joint: of the taxonomy.
        scores: head → calibrated float[N, C].
        labels: head → int[N]; rows whose path training lacks are left out.
    """
    paths = joint.paths_of(labels)
    known = paths >= 0
    problem = _Problem(joint.logarithms({level: scores[level][known] for level in joint.levels}), paths[known])
    start = np.array([_PRIOR.get(key, _PRIOR_OF_A_LEVEL) for key in problem.keys])
    if len(joint.levels) == 1:  # nothing to weigh: the answer is that of the one head, which is calibrated
        return JointFit(dict(zip(problem.keys, start.tolist(), strict=True)), _curve(problem, start))
    # Second by what was believed before: were it by the exponents under trial, the likelihood would have jumps.
    runners_up, rows = problem.with_runners_up(start), max(1, int(known.sum()))

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = problem.log_loss(point)
        of_runners_up, their_gradient = runners_up.log_loss(point)
        off = (point - start) / _PRIOR_DEVIATION
        return (
            loss + of_runners_up / rows + off @ off / 2,
            gradient + their_gradient / rows + off / _PRIOR_DEVIATION,
        )

    bounds = [(0.0, _LARGEST)] * len(start)
    fit = optimize.minimize(objective, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return JointFit(dict(zip(problem.keys, fit.x.tolist(), strict=True)), _curve(problem, fit.x))


class _Problem:
    """The rows' logarithms side by side, and the paths whose likelihood is asked for."""

    def __init__(self, logarithms: Mapping[str, np.ndarray], paths: np.ndarray):
        self.keys = tuple(logarithms)
        self._by_key, self._logarithms, self._paths = logarithms, list(logarithms.values()), paths
        self._rows = np.arange(len(paths))

    def with_runners_up(self, point: np.ndarray) -> "_Problem":
        """The same rows, each with its second best path; with its best one where there is no other."""
        ranked = np.argsort(-self.totals(point), axis=1, kind="stable")
        return _Problem(self._by_key, ranked[:, min(1, ranked.shape[1] - 1)])

    def totals(self, point: np.ndarray) -> np.ndarray:
        """float[N, P], up to a constant a row the logarithm of each path's probability."""
        total = np.zeros((len(self._paths), len(self._logarithms[-1])))
        for exponent, logarithms in zip(point, self._logarithms, strict=True):
            total += exponent * logarithms
        return total

    def log_loss(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum over the rows, and its gradient."""
        logs = special.log_softmax(self.totals(point), axis=1)
        off = np.exp(logs)
        off[self._rows, self._paths] -= 1
        return -logs[self._rows, self._paths].sum(), np.array([(off * part).sum() for part in self._logarithms])

    def figures(self, point: np.ndarray) -> dict[str, float]:
        """What these exponents are worth, a row; NaN where there is none."""
        if not len(self._paths):
            return {"log_loss": math.nan, "all_right": math.nan}
        is_right = self.totals(point).argmax(axis=1) == self._paths
        return {"log_loss": self.log_loss(point)[0] / len(self._paths), "all_right": float(is_right.mean())}


def _curve(problem: _Problem, fitted: np.ndarray) -> pd.DataFrame:
    table = []
    for index, key in enumerate(problem.keys):
        for value in np.linspace(0.0, _LARGEST, _CURVE_POINTS):
            point = fitted.copy()
            point[index] = value
            table.append({"exponent": key, "value": value, **problem.figures(point)})
    return pd.DataFrame(table)
