"""From which familiarity on a picture needs nobody to look: fitted on eval, without a single strange picture."""

from collections.abc import Mapping

import numpy as np

from components.model.familiarity import strangeness
from schema.familiarity_card import FamiliarityCard, Signal

FALSE_ALARMS = 0.05
"""Share of the eval split that may be called unfamiliar."""

_THRESHOLD = 0.5
"""Familiarity at that share's strangeness, by choice of the scale."""

_FEWEST_ROWS = 20
_LEAST_DEVIATION = 0.05
_LEAST_SCALE = 4.0
"""A signal: what is less familiar than usual by one deviation in each is not called strange.

Both are there for an eval split of pictures as alike as drawn ones are, where a hair's breadth would be strange.
"""


def fit_familiarity(values: Mapping[str, np.ndarray]) -> FamiliarityCard | None:
    """What is usual of each signal, and the scale by which :data:`FALSE_ALARMS` of eval fall below the threshold.

    Args:
        values: signal → float[N], of the eval split as a model sees it that does not remember it.

    Returns:
        None where N is too small to tell.
    """
    if min(len(rows) for rows in values.values()) < _FEWEST_ROWS:
        return None
    usual = {name: _usual(np.asarray(rows, np.float64)) for name, rows in values.items()}
    strange = strangeness({name: np.asarray(rows, np.float32) for name, rows in values.items()}, usual).numpy()
    scale = max(float(np.quantile(strange, 1 - FALSE_ALARMS, method="higher")), _LEAST_SCALE * len(usual))
    return FamiliarityCard(_THRESHOLD, float((strange > scale).mean()), scale, usual)


def _usual(rows: np.ndarray) -> Signal:
    return Signal(float(rows.mean()), max(float(rows.std()), _LEAST_DEVIATION))
