"""What models say, as plain Python."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schema import names
from schema.model_card import ModelCard
from serving.merger.core.corrections import Placed
from serving.merger.core.hearing import Heard
from serving.merger.models import tensors
from serving.stubs.tensorflow_serving.apis import predict_pb2


class Features(NamedTuple):
    """What a model saw in a picture, from which another can answer without looking; see :mod:`schema.names`.

    Args:
        values: float32[F], the picture's features.
        voters: int32[k], which of the known pictures vote.
        weights: float32[k], of the voters; all 0 where the picture could not be read.
    """

    values: array
    voters: array
    weights: array


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
        placed: where each picture lies among the known ones; empty where that was not asked for.
        features: of each picture; empty where they were not asked for.
    """

    heads: Mapping[str, Sequence[array]]
    image_ok: Sequence[bool]
    elapsed_s: float
    familiarity: Sequence[float] | None = None
    looks: Sequence[array] = ()
    heard: Sequence[Heard] = ()
    placed: Sequence[Placed] = ()
    features: Sequence[Features] = ()

    def part(self, rows: slice, elapsed_s: float) -> "ModelScores":
        """What it says of some of them, after so many seconds."""
        heads = {head: all_rows[rows] for head, all_rows in self.heads.items()}
        familiarity = self.familiarity[rows] if self.familiarity is not None else None
        looks, heard, placed, features = self.looks[rows], self.heard[rows], self.placed[rows], self.features[rows]
        return ModelScores(heads, self.image_ok[rows], elapsed_s, familiarity, looks, heard, placed, features)


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


def read_heard(reply: predict_pb2.PredictResponse, count: int) -> list[Heard]:
    """What became of each of N names.

    Raises:
        ValueError: the reply does not say it.
    """
    known = tensors.to_bools(reply.outputs[names.NAME_KNOWN], count)
    return [Heard(*one) for one in zip(known, tensors.to_shares(reply.outputs[names.NAME_FITS], count), strict=True)]


def read_placed(reply: predict_pb2.PredictResponse, count: int, card: ModelCard) -> list[Placed]:
    """Where each of N pictures lies among those that a model knows.

    Raises:
        ValueError: the reply does not say it.
    """
    embeddings = tensors.to_numbers(reply.outputs[names.EMBEDDING], count)
    listed = min(names.NEIGHBOURS_LISTED, card.known_pictures)
    nearest = tensors.to_rows(reply.outputs[names.NEIGHBOUR_SIMILARITIES], count, listed)
    return [Placed(*one) for one in zip(embeddings, nearest, strict=True)]


def read_features(reply: predict_pb2.PredictResponse, count: int) -> list[Features]:
    """The features of each of N pictures.

    Raises:
        ValueError: the reply does not say them.
    """
    values = tensors.to_numbers(reply.outputs[names.FEATURES], count)
    voters = tensors.to_integers(reply.outputs[names.VOTERS], count)
    weights = tensors.to_numbers(reply.outputs[names.VOTER_WEIGHTS], count, len(voters[0]))
    return [Features(*one) for one in zip(values, voters, weights, strict=True)]
