"""From which familiarity on a picture needs nobody to look: fitted on eval, without a single strange picture."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import binom

from components.evidence import FEWEST_EVAL_ROWS
from components.model.familiarity import strangeness
from schema.card_parts import FamiliarityCard, Signal

FALSE_ALARMS = 0.05
"""Share of the eval split that may be called unfamiliar."""

_SURE = 0.9
"""Chance that no more are called unfamiliar among other pictures like those of eval, however few those are."""

_THRESHOLD = 0.5
"""Familiarity at that share's strangeness, by choice of the scale."""

_LEAST_DEVIATION = 0.05
_LEAST_SCALE = 4.0
"""A signal: what is less familiar than usual by one deviation in each is not called strange.

Both are there for an eval split of pictures as alike as drawn ones are, where a hair's breadth would be strange.
"""


def fit_familiarity(values: Mapping[str, np.ndarray]) -> FamiliarityCard | None:
    """What is usual of each signal, and the scale by which at most :data:`FALSE_ALARMS` are below the threshold.

    Few rows tell a quantile roughly, and a threshold too high sends known pictures to a person. So not the sample's
    quantile counts but its upper confidence bound, which is one of the sample's own values, whatever their
    distribution (Conover, "Practical Nonparametric Statistics", section 3.2).

    Args:
        values: signal → float[N], of the eval split as a model sees it that does not remember it.

    Returns:
        None where N is too small to tell.
    """
    if min(len(rows) for rows in values.values()) < FEWEST_EVAL_ROWS:
        return None
    usual = {name: _usual(np.asarray(rows, np.float64)) for name, rows in values.items()}
    strange = strangeness({name: np.asarray(rows, np.float32) for name, rows in values.items()}, usual).numpy()
    scale = max(_bound(strange), _LEAST_SCALE * len(usual))
    return FamiliarityCard(_THRESHOLD, float((strange > scale).mean()), scale, usual)


def _bound(strange: np.ndarray) -> float:
    """Upper confidence bound of the quantile; the greatest value where even that may be too low."""
    below = int(binom.ppf(_SURE, len(strange), 1 - FALSE_ALARMS))
    return float(np.sort(strange)[min(below, len(strange) - 1)])


def _usual(rows: np.ndarray) -> Signal:
    return Signal(float(rows.mean()), max(float(rows.std()), _LEAST_DEVIATION))
