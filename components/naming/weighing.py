"""How much a product's name counts beside its picture: fitted on the eval split."""

import numpy as np
from scipy import optimize

from components.naming.model import factors, heard

_PRIOR, _PRIOR_DEVIATION = 1.0, 0.5
"""What is believed before a row is seen, and how firmly: the evidence is a linear model's own, fitted on training."""

_LARGEST = 3.0
_LEAST_PROBABILITY = 1e-12


def fit_name_weight(scores: np.ndarray, evidence: np.ndarray, priors: np.ndarray, labels: np.ndarray) -> float:
    """The weight of the evidence that makes the labels most likely.

    Args:
        scores: float32[N, C], calibrated, by the picture alone.
        evidence: float32[N, C], of the names; rows of 0 say nothing of it.
        priors: float32[C], shares of the labels in training.
        labels: int[N]; rows below 0 are left out.
    """
    used = (labels >= 0) & evidence.any(axis=1)
    scores, evidence, labels = scores[used], evidence[used], labels[used]
    rows = np.arange(len(labels))

    def objective(weight: float) -> float:
        both = heard(scores, factors(evidence, priors, weight))[0].numpy()
        loss = -np.log(both[rows, labels] + _LEAST_PROBABILITY).sum()
        return float(loss + ((weight - _PRIOR) / _PRIOR_DEVIATION) ** 2 / 2)

    return float(optimize.minimize_scalar(objective, bounds=(0.0, _LARGEST), method="bounded").x)
