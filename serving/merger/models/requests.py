"""What a model is asked for, as plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass

from schema import names
from schema.model_card import ModelCard
from serving.merger.models import tensors
from serving.merger.models.replies import Features
from serving.stubs.tensorflow_serving.apis import predict_pb2


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
