"""What the eval split looked like to a model, as histograms: what later pictures are held against."""

from collections.abc import Mapping, Sequence

import numpy as np

from components.evidence import FEWEST_EVAL_ROWS
from components.model.looks import MORE_IS_USUAL
from schema import names
from schema.eval_histograms import EvalHistograms, NumberBins, confidence_of

_DECIMALS = 1000
"""Edges are cut down to these: a value that many rows have, as 1, must lie on no edge, where rounding parts them."""

_EVERY_TENTH = np.arange(1, 10) / 10
_LOWER_HALF = np.arange(1, 6) / 10
"""Quantiles of eval at the edges. Where more is usual, what is above the median is one bin."""


def count_eval(
    scores: Mapping[str, np.ndarray], familiarity: np.ndarray | None, looks: Mapping[str, np.ndarray]
) -> EvalHistograms | None:
    """The histograms of a model that does not remember the eval split.

    Args:
        scores: head → float32[N, C], calibrated.
        familiarity: float32[N]; None where it is not told.
        looks: name → float32[N], in the order in which the served model tells them.

    Returns:
        None where N is too small to tell.
    """
    if not scores or min(len(rows) for rows in scores.values()) < FEWEST_EVAL_ROWS:
        return None
    more_is_usual = {confidence_of(head): rows.max(axis=1) for head, rows in scores.items()}
    if familiarity is not None:
        more_is_usual[names.FAMILIARITY] = familiarity
    more_is_usual |= {name: rows for name, rows in looks.items() if name in MORE_IS_USUAL}
    others = {name: rows for name, rows in looks.items() if name not in MORE_IS_USUAL}
    return EvalHistograms(
        labels={
            head: _whole(np.bincount(rows.argmax(axis=1), minlength=rows.shape[1])) for head, rows in scores.items()
        },
        numbers={
            **{name: _bins(rows, _LOWER_HALF, True) for name, rows in more_is_usual.items()},
            **{name: _bins(rows, _EVERY_TENTH, False) for name, rows in others.items()},
        },
        looks=tuple(looks),
    )


def _bins(rows: np.ndarray, quantiles: np.ndarray, more_is_usual: bool) -> NumberBins:
    edges = np.unique(np.floor(np.quantile(rows.astype(np.float64), quantiles) * _DECIMALS) / _DECIMALS)
    empty = NumberBins(tuple(map(float, edges)), (), more_is_usual)
    counts = np.bincount([empty.bin_of(float(row)) for row in rows], minlength=len(edges) + 1)
    return NumberBins(empty.edges, _whole(counts), more_is_usual)


def _whole(counts: Sequence[int] | np.ndarray) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)
