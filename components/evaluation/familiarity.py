"""How well a release tells what it knows from what it does not: drawn pictures of no product, and unknown types."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from components.catalogue.sample.not_fashion import KINDS, draw_not_fashion

LEFT_OUT = "article types that no training had"
PICTURES_OF_A_KIND = 60

Familiar = Callable[[list[bytes]], np.ndarray]
"""Encoded pictures → their familiarity, float[N]."""


@dataclass(frozen=True)
class FamiliarityCheck:
    """The familiarity of known pictures, and of those that should look strange.

    Attributes:
        known: float[N], of pictures of known types.
        strange: kind → float[N].
        threshold: below which a person is asked for.
    """

    known: np.ndarray
    strange: Mapping[str, np.ndarray]
    threshold: float

    def rows(self) -> list[dict[str, float | str]]:
        """Of each kind, those known first: how many, AUROC against the known, share that is sent to a person."""
        known = self._row("known article types", self.known) | {"auroc": math.nan}
        return [known, *(self._row(kind, values) for kind, values in self.strange.items())]

    def _row(self, kind: str, values: np.ndarray) -> dict[str, float | str]:
        flagged = float((values < self.threshold).mean()) if len(values) else math.nan
        return {"pictures": kind, "count": len(values), "auroc": auroc(self.known, values), "flagged": flagged}


def auroc(known: Sequence[float] | np.ndarray, strange: Sequence[float] | np.ndarray) -> float:
    """Chance that a known picture is more familiar than a strange one, ties counting half; NaN without either."""
    if not (len(known) and len(strange)):
        return math.nan
    return float(roc_auc_score(np.repeat([1, 0], [len(known), len(strange)]), np.concatenate([known, strange])))


def of_drawn_pictures(familiar: Familiar) -> dict[str, np.ndarray]:
    """Kind → familiarity of :data:`PICTURES_OF_A_KIND` drawn pictures, float[N]."""
    return {kind: familiar(_encoded(kind)) for kind in KINDS}


def _encoded(kind: str) -> list[bytes]:
    files = []
    for picture in draw_not_fashion(kind, PICTURES_OF_A_KIND):
        file = io.BytesIO()
        picture.save(file, "PNG")
        files.append(file.getvalue())
    return files
