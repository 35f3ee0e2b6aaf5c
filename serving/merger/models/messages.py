"""What models are asked for and what they say, as plain Python."""

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
class ScoresRequest:
    """Asks a model for the scores of N pictures.

    Args:
        images: encoded; none where there are ``features``.
        version: to ask.
        card: of it.
        given: the plain name of each, "" for none; empty where none has one, as where the card has no
            ``name_weights``.
        placed: whether to tell where each lies among the known ones; the card has a ``memory``.
        with_features: whether to tell the features that another model can answer from; the card has a ``memory``.
        features: of each picture, as another model told them; empty where the model looks at ``images``.
    """

    images: Sequence[bytes]
    version: int
    card: ModelCard
    given: Sequence[str] = ()
    placed: bool = False
    with_features: bool = False
    features: Sequence[Features] = ()

    @property
    def count(self) -> int:
        """N."""
        return len(self.features or self.images)

    @property
    def texts(self) -> Sequence[str]:
        """What the model hears; with a memory, or from features, it listens to names whether or not there are any."""
        listens = self.signature in (names.SCORES_WITH_MEMORY, names.SCORES_FROM_FEATURES) and self.card.name_weights
        return self.given or ([""] * self.count if listens else ())

    @property
    def signature(self) -> str:
        """That answers it."""
        if self.features:
            return names.SCORES_FROM_FEATURES
        if self.placed or self.with_features:
            return names.SCORES_WITH_MEMORY
        return names.SCORES_WITH_NAME if self.given else names.SCORES


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


def put_inputs(call: predict_pb2.PredictRequest, request: ScoresRequest) -> None:
    """Puts what the model answers from into an empty call."""
    if request.features:
        values, voters, weights = zip(*request.features, strict=True)
        tensors.put_rows(call.inputs[names.FEATURES], values)
        tensors.put_rows(call.inputs[names.VOTERS], voters)
        tensors.put_rows(call.inputs[names.VOTER_WEIGHTS], weights)
    else:
        tensors.put_bytes(call.inputs[names.IMAGE], request.images)
    if request.texts:
        tensors.put_bytes(call.inputs[names.NAME], [name.encode() for name in request.texts])


def read_scores(reply: predict_pb2.PredictResponse, request: ScoresRequest, elapsed_s: float) -> ModelScores:
    """The answer to a request, after so many seconds.

    Raises:
        ValueError: it is none.
    """
    outputs, card, count = reply.outputs, request.card, request.count
    heads = {name: tensors.to_rows(outputs[name], count, len(head.labels)) for name, head in card.heads.items()}
    familiarity = tensors.to_shares(outputs[names.FAMILIARITY], count) if card.familiarity else None
    wanted = len(card.eval_histograms.looks) if card.eval_histograms else 0
    looks = tensors.to_numbers(outputs[names.LOOKS], count, wanted) if wanted else ()
    image_ok = tensors.to_bools(outputs[names.IMAGE_OK], count)
    heard = _read_heard(reply, count) if request.texts else []
    placed = _read_placed(reply, count, card) if request.placed else []
    features = _read_features(reply, count) if request.with_features else []
    return ModelScores(heads, image_ok, elapsed_s, familiarity, looks, heard, placed, features)


def _read_heard(reply: predict_pb2.PredictResponse, count: int) -> list[Heard]:
    """What became of each of N names.

    Raises:
        ValueError: the reply does not say it.
    """
    known = tensors.to_bools(reply.outputs[names.NAME_KNOWN], count)
    return [Heard(*one) for one in zip(known, tensors.to_shares(reply.outputs[names.NAME_FITS], count), strict=True)]


def _read_placed(reply: predict_pb2.PredictResponse, count: int, card: ModelCard) -> list[Placed]:
    """Where each of N pictures lies among those that a model knows.

    Raises:
        ValueError: the reply does not say it.
    """
    embeddings = tensors.to_numbers(reply.outputs[names.EMBEDDING], count)
    listed = min(names.NEIGHBOURS_LISTED, card.known_pictures)
    nearest = tensors.to_rows(reply.outputs[names.NEIGHBOUR_SIMILARITIES], count, listed)
    return [Placed(*one) for one in zip(embeddings, nearest, strict=True)]


def _read_features(reply: predict_pb2.PredictResponse, count: int) -> list[Features]:
    """The features of each of N pictures.

    Raises:
        ValueError: the reply does not say them.
    """
    values = tensors.to_numbers(reply.outputs[names.FEATURES], count)
    voters = tensors.to_integers(reply.outputs[names.VOTERS], count)
    weights = tensors.to_numbers(reply.outputs[names.VOTER_WEIGHTS], count, len(voters[0]))
    return [Features(*one) for one in zip(values, voters, weights, strict=True)]
