"""People's decisions join the pictures that a release knows: the nearest of both vote, as the known ones did alone.

Of N pictures nearest to the one that is asked about, known or corrected, each has the weight ``e^(25 s)`` of its
similarity s, less .999 of the weight of the next one (the numbers are the card's; older ones have 30, and 0).
What share of the weight is the corrected ones', ρ, goes to their labels:

    P = (1 - λ) · P(release) + λ · P(corrections)    λ = ρ · share of the card

They are silent, and nothing changes to the last bit, unless one of them is the nearest picture of all: a decision is
about pictures like that one. Pure: no transport, no clock.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from schema.corrections import Correction
from serving.merger.core.merge import DEEPEST
from serving.merger.core.release import Release

if TYPE_CHECKING:
    import numpy as np


class Placed(NamedTuple):
    """Where a picture lies among those that a model knows.

    Args:
        embedding: of length 1; the product of two is their similarity.
        nearest: similarities of the known pictures that vote, nearest first, and of some more.
    """

    embedding: array
    nearest: array


class Learnt(NamedTuple):
    """A picture that somebody decided about: where it lies, and head → position of the right label."""

    embedding: array
    labels: Mapping[str, int]


class Say(NamedTuple):
    """What corrections say of a picture.

    Args:
        version: of the last decision that could have a say.
        share: λ.
        votes: head → position of a label → its part of λ.
    """

    version: int
    share: float = 0.0
    votes: Mapping[str, Mapping[int, float]] = MappingProxyType({})


class Overlay:
    """Corrected pictures beside a release.

    Args:
        release: whose model placed them; it has a memory.
        version: of the last decision that is in it.
        learnt: the pictures; at least one.
    """

    def __init__(self, release: Release, version: int, learnt: Sequence[Learnt]) -> None:
        import numpy as np  # 24 MB and 400 ms that a merger without corrections is spared

        assert release.memory
        self.release, self.version = release, version
        self._memory = release.memory
        self._labels = [one.labels for one in learnt]
        embeddings = np.array([one.embedding for one in learnt], np.float32)
        # A plain product would wake BLAS's threads, which spin on cores that others need: tenfold the time.
        self._similarities = partial(np.einsum, "ij,j->i", embeddings)

    def __len__(self) -> int:
        return len(self._labels)

    def say(self, placed: Placed) -> Say:
        """What the corrected pictures say of one that is placed among them."""
        similarities = self._similarities(placed.embedding)
        if similarities.max() < max(placed.nearest, default=0.0):
            return Say(self.version)
        shares = self._shares(similarities, placed.nearest)
        weights = {row: self._memory.share * one for row, one in shares.items()}
        return Say(self.version, sum(weights.values()), self._votes(weights))

    def _shares(self, similarities: "np.ndarray", nearest: Sequence[float]) -> dict[int, float]:
        """Row → share of the weight of all that vote, of the corrected pictures among them."""
        memory, asked = self._memory, self._memory.neighbours + 1
        rows = (-similarities).argsort(kind="stable")[:asked].tolist()
        # As near as a known one, a corrected one comes after it.
        ranked = [(one, None) for one in nearest[:asked]] + [(float(similarities[row]), row) for row in rows]
        ranked.sort(key=lambda each: each[0], reverse=True)
        told = [math.exp(memory.sharpness * (one - ranked[0][0])) for one, _ in ranked[:asked]]
        off = memory.discount * told[-1] if len(told) == asked else 0.0
        weights = [one - off for one in told[: memory.neighbours]]
        total = sum(weights)
        return {row: one / total for (_, row), one in zip(ranked, weights, strict=False) if row is not None}

    def _votes(self, weights: Mapping[int, float]) -> dict[str, dict[int, float]]:
        votes: dict[str, dict[int, float]] = {}
        for row, weight in weights.items():
            for head, position in self._labels[row].items():
                of_head = votes.setdefault(head, {})
                of_head[position] = of_head.get(position, 0.0) + weight
        return votes


@dataclass
class Overlays:
    """The overlay of the moment.

    Args:
        current: beside the release that it was made for, and no other; None where nothing was learnt.
    """

    current: Overlay | None = None

    def of(self, release: Release) -> Overlay | None:
        """The overlay of this release; None where there is none."""
        return self.current if self.current and self.current.release is release else None


def labels_of(correction: Correction, release: Release) -> dict[str, int]:
    """Head → position of the right label, of the labels that the release knows.

    Nothing where it does not know the article type: that waits for a training.
    """
    columns = {head.column: name for name, head in release.heads.items()}
    said = {**correction.labels, **{columns.get(column, ""): label for column, label in correction.attributes.items()}}
    heads = {name: release.heads[name].labels for name in said if name in release.heads}
    found = {name: labels.index(said[name]) for name, labels in heads.items() if said[name] in labels}
    return found if DEEPEST in found else {}


def corrected(row: Sequence[float], votes: Mapping[int, float]) -> Sequence[float]:
    """One head's probabilities with the corrections' say in them; ``votes`` are those on this head."""
    if not votes:
        return row
    left = 1.0 - sum(votes.values())
    return [left * value + votes.get(position, 0.0) for position, value in enumerate(row)]
