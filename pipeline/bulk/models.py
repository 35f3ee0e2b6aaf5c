"""A release's two SavedModels and the merger's own core: prepared pictures → the results that a merger would give."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.bulk.preparing import Prepared, new_call
from pipeline.bulk.sources import Entry, Unreadable
from pipeline.scoring import ReleasedModels
from schema import names
from schema.model_card import ModelCard
from schema.product_names import plain
from serving.merger.answers import Outcome, answer, result
from serving.merger.core.errors import LookbookError, ModelFailed
from serving.merger.core.hearing import Heard, hearing
from serving.merger.core.images import Picture, Size
from serving.proto.lookbook.v1 import classifier_pb2 as pb

# Nothing of serving.merger.models: its stubs of TensorFlow's messages take the place of TensorFlow's own.

UNREADABLE = "unreadable"
"""Code of a picture that could not be read, as :mod:`serving.client.files` has it; no merger ever sees it."""


@dataclass(frozen=True)
class Scores:
    """What one model says of N pictures: see :class:`serving.merger.answers.Reply`."""

    heads: Mapping[str, Sequence[Sequence[float]]]
    image_ok: Sequence[bool]
    elapsed_s: float
    familiarity: Sequence[float] | None
    heard: Sequence[Heard] = ()


def results_of(
    models: ReleasedModels, entries: Sequence[Entry], prepared: Sequence[Prepared]
) -> list[pb.ClassifyResult]:
    """A result for each picture, in order; ``entries`` and ``prepared`` are the same pictures.

    Raises:
        ModelFailed: a model gives what are no probabilities.
    """
    started = time.perf_counter()
    prepared = [
        replace(one, name=entry.product_name) if isinstance(one, Picture) else one
        for entry, one in zip(entries, prepared, strict=True)
    ]
    pictures = [one for one in prepared if isinstance(one, Picture)]
    replies = _replies(models, pictures) if pictures else {}
    rows = iter(range(len(pictures)))

    def outcome(one: Picture | LookbookError) -> Outcome:
        if isinstance(one, LookbookError):
            return one
        row = next(rows)
        told = [reply.heard[row] for reply in replies.values() if reply.heard]
        name = hearing(told, models.version) if one.name else None
        return answer(models.merger, replies, {}, row, one, new_call(), started, 0.0, name)

    return [
        _unread(entry, one) if isinstance(one, Unreadable) else result(entry.name, index, outcome(one), "")
        for index, (entry, one) in enumerate(zip(entries, prepared, strict=True))
    ]


def attributes_of(models: ReleasedModels) -> tuple[str, ...]:
    """The columns of the release's attributes."""
    return tuple(models.heads[name].column for name in models.release.attributes)


def _unread(entry: Entry, error: Unreadable) -> pb.ClassifyResult:
    return pb.ClassifyResult(id=entry.name, error=pb.Problem(code=UNREADABLE, detail=str(error)))


def _replies(models: ReleasedModels, pictures: Sequence[Picture]) -> dict[str, "Scores"]:
    given = [plain(one.name) for one in pictures] if any(one.name for one in pictures) else []
    cards = models.release.cards
    images = {name: [one.bytes_for(Size.of(card)) for one in pictures] for name, card in cards.items()}
    replies: dict[str, Scores] = {}
    started = time.perf_counter()
    for name, outputs in models.outputs(images, given):
        replies[name] = _scores(outputs, cards[name], started)
        started = time.perf_counter()
    return replies


def _scores(outputs: Mapping[str, tf.Tensor], card: ModelCard, started: float) -> Scores:
    """What a merger reads from a model server's reply, from the model's own outputs."""
    shares = {name: _shares(outputs[name], card.model, name) for name in card.heads}
    familiarity = _shares(outputs[names.FAMILIARITY], card.model, names.FAMILIARITY) if card.familiarity else None
    heard = _heard(outputs, card.model) if names.NAME_KNOWN in outputs else ()
    return Scores(shares, outputs[names.IMAGE_OK].numpy().tolist(), time.perf_counter() - started, familiarity, heard)


def _heard(outputs: Mapping[str, tf.Tensor], model: str) -> list[Heard]:
    fits = _shares(outputs[names.NAME_FITS], model, names.NAME_FITS)
    return [Heard(*one) for one in zip(outputs[names.NAME_KNOWN].numpy().tolist(), fits, strict=True)]


def _shares(values: tf.Tensor, model: str, name: str) -> Any:
    """float32[N, C] or [N] as lists, held to what :mod:`serving.merger.models.tensors` holds them to."""
    found = values.numpy()
    if not (np.isfinite(found).all() and found.min(initial=0) >= 0 and found.max(initial=0) <= 1.0001):
        raise ModelFailed(f"The {model} model gives what are no probabilities of {name}.", model=model)
    return np.minimum(found, 1).tolist()
