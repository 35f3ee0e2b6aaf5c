"""The rows whose pictures are most like a given one, by the angle between their features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

NEIGHBOURS: Final = 6
_ROWS_AT_ONCE: Final = 256


@dataclass(frozen=True)
class Neighbour:
    """A row that looks alike: its id, its label (empty for none), and the cosine of the angle, at most 1."""

    id: str
    label: str
    similarity: float


def directions(features: np.ndarray) -> np.ndarray:
    """float32[N, D] → the same, each row of length 1; a row of zeros stays one."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def nearest(features: np.ndarray, rows: Sequence[int] | np.ndarray) -> list[list[tuple[int, float]]]:
    """For each of ``rows`` the nearest others of ``features`` float32[N, D], as (row, cosine), the nearest first."""
    unit = directions(features)
    found: list[list[tuple[int, float]]] = []
    wanted = np.asarray(rows, int)
    for start in range(0, len(wanted), _ROWS_AT_ONCE):
        some = wanted[start : start + _ROWS_AT_ONCE]
        cosines = unit[some] @ unit.T
        cosines[np.arange(len(some)), some] = -np.inf  # itself
        found += [_best(line) for line in cosines]
    return found


def _best(cosines: np.ndarray) -> list[tuple[int, float]]:
    count = min(NEIGHBOURS, len(cosines) - 1)
    if count < 1:
        return []
    best = np.argpartition(-cosines, count - 1)[:count]
    best = best[np.argsort(-cosines[best], kind="stable")]
    return [(int(row), float(cosines[row])) for row in best]
