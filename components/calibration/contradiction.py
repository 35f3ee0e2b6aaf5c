"""How much less sure the joint answer is where the heads give up what they would say by themselves."""

from collections.abc import Mapping

import numpy as np
from scipy import optimize

from components.calibration.joint_answer import JointAnswer
from schema.model_card import CONTRADICTION

_PRIOR, _PRIOR_DEVIATION = 0.15, 0.1
"""What is believed before a row is seen, and how firmly: heads that hold each other for a thousand times less likely
than their own best leave a third of the confidence or less."""

_LARGEST = 2.0
_LEAST_DOUBT = 1e-9


def fit_contradiction(
    joint: JointAnswer, scores: Mapping[str, np.ndarray], paths: np.ndarray, exponents: Mapping[str, float]
) -> float:
    """The exponent of the contradiction that makes it most likely which joint answers are right and which are wrong.

    Args:
        joint: of the taxonomy.
        scores: head → calibrated float[N, C].
        paths: int[N], the true ones, -1 where training lacks it: such a row is answered wrong.
        exponents: fitted, of the joint answer.
    """
    best, sure = joint.answers(scores, {**exponents, CONTRADICTION: 0.0})
    contradiction, is_right = joint.contradiction(scores, best), best == paths

    def objective(value: float) -> float:
        confidence = sure * np.exp(-value * contradiction)
        loss = np.where(is_right, -np.log(confidence + _LEAST_DOUBT), -np.log1p(-confidence + _LEAST_DOUBT)).sum()
        return float(loss + ((value - _PRIOR) / _PRIOR_DEVIATION) ** 2 / 2)

    return float(optimize.minimize_scalar(objective, bounds=(0.0, _LARGEST), method="bounded").x)
