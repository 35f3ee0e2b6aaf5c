"""What models say, as plain Python."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from serving.merger.core.hearing import Heard


@dataclass(frozen=True)
class ModelScores:
    """What one model says of N pictures.

    Args:
        heads: head → N rows of probabilities.
        image_ok: which pictures it could read.
        elapsed_s: seconds of the call.
        familiarity: of each picture, 0 to 1; None where the model does not tell it.
        looks: of each picture what the card's ``eval_histograms`` name; empty where they name nothing.
        heard: what became of each picture's name; empty where names were not asked with.
    """

    heads: Mapping[str, Sequence[array]]
    image_ok: Sequence[bool]
    elapsed_s: float
    familiarity: Sequence[float] | None = None
    looks: Sequence[array] = ()
    heard: Sequence[Heard] = ()

    def part(self, rows: slice, elapsed_s: float) -> "ModelScores":
        """What it says of some of them, after so many seconds."""
        heads = {head: all_rows[rows] for head, all_rows in self.heads.items()}
        familiarity = self.familiarity[rows] if self.familiarity is not None else None
        return ModelScores(heads, self.image_ok[rows], elapsed_s, familiarity, self.looks[rows], self.heard[rows])


class Neighbour(NamedTuple):
    """A known picture: its id, article type and name in the catalogue, and how similar it is, 0 to 1."""

    id: str
    label: str
    name: str
    similarity: float


class Found(NamedTuple):
    """The nearest known pictures, and where the picture lies among all of them; None where the model does not say."""

    nearest: Sequence[Neighbour]
    embedding: array | None = None
