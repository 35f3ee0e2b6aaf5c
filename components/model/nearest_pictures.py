"""The nearest known pictures have a vote beside the network: they remember single products, which its weights blur.

The votes are the shares of the labels among the n nearest known pictures, each with the weight ``e^(25 s)`` of its
similarity s, less nearly all that the next one would have: the cosine of what the network's layers saw of both,
whitened. So who comes in last, and who just does not, weigh next to nothing, and it is no matter which is which. How
much they count is said in ``components/model/calibration.py``. A picture without a label of a head has no vote there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops
from sklearn.covariance import LedoitWolf

from components.model.classifier import FEATURES
from schema import names
from schema.card_parts import MemoryCard

MOST_PICTURES = 65_536
"""More of one split are not remembered: each costs its features' size in memory, and time in each answer."""

SIMILARITY = "nearest_similarity"
"""Key beside the heads' logits: mean similarity of the :data:`_NEAREST` nearest known pictures, float32[N]."""

CENTRALITY = "centrality"
"""Key beside the heads' logits: how near a picture lies to the middle of the known ones, float32[N].

It is ``-log`` of the Mahalanobis distance, which the cosine of the similarities leaves out. Noise and plain colours lie
far out, whatever is nearest to them.
"""

NEARNESS = (SIMILARITY, CENTRALITY)

EMBEDDING = "embedding"
"""Key beside the heads' logits: where a picture lies among the known ones, float32[N, F], of length 1.

The product of two of them is their similarity.
"""

COMPONENTS = "components"
"""Key beside the heads' logits: where a picture lies along the directions in which the known ones differ most.

float32[N, :data:`COMPONENTS_TOLD`], each of mean 0 and variance 1 over the known pictures (principal components).
"""
COMPONENTS_TOLD = 4

ROWS = "neighbour_rows"
"""Key beside the heads' logits: which known pictures are nearest, int32[N, m], nearest first."""

SIMILARITIES = "neighbour_similarities"
"""Key beside the heads' logits: how similar those are, float32[N, m], from 0, unlike, to 1, the same."""

CORRECTIONS_SHARE = 0.5
"""Say of corrected pictures in an answer, where no known one is as near: as much as the known ones have."""

_NEAREST = 5
_SHARPNESS = 25.0
_DISCOUNT = 0.999
"""Share of the next one's weight that comes off each: not all, so that pictures vote evenly that are all as near."""
_LEAST_VARIANCE = 1e-6
_LEAST_DISTANCE = 1e-6


def votes_key(head: str) -> str:
    """Key of the votes on ``head`` beside the heads' logits."""
    return f"{head}_votes"


class Known(NamedTuple):
    """Pictures to remember: features float32[M, F], and head → labels int[M], below 0 where a picture has none.

    ``told`` is what can be said of each to a person, name → str[M]; empty where nothing is to be said.
    """

    features: np.ndarray
    labels: Mapping[str, np.ndarray]
    told: Mapping[str, np.ndarray] = MappingProxyType({})


def joined(*parts: Known) -> Known:
    """All of these pictures together, whatever labels they lack: the models of a release are to know the same ones."""
    labels = {head: np.concatenate([part.labels[head] for part in parts]) for head in parts[0].labels}
    told = {name: np.concatenate([part.told[name] for part in parts]) for name in parts[0].told}
    return Known(np.concatenate([part.features for part in parts]), labels, told)


class Whitening(NamedTuple):
    """Turns features float[N, F] into ones of which none varies more than another: ``(x - mean) @ matrix``.

    ``(x - mean) @ components`` are the :data:`COMPONENTS`.
    """

    mean: np.ndarray
    matrix: np.ndarray
    components: np.ndarray


def fit_whitening(features: np.ndarray) -> Whitening:
    """The whitening of features float[N, F], by Cholesky's root of their inverse covariance.

    The covariance is shrunk (Ledoit and Wolf, 2004), so that there may be fewer pictures than features.
    """
    fitted = LedoitWolf().fit(features)
    covariance = fitted.covariance_.astype(np.float64) + _LEAST_VARIANCE * np.eye(features.shape[1])
    matrix = np.linalg.cholesky(np.linalg.inv(covariance))
    variances, directions = np.linalg.eigh(covariance)
    widest = slice(-1, -1 - COMPONENTS_TOLD, -1)
    components = directions[:, widest] / np.sqrt(variances[widest])
    return Whitening(*(part.astype(np.float32) for part in (fitted.location_, matrix, components)))


def by_signs(embeddings: np.ndarray) -> np.ndarray:
    """Embeddings float32[M, F] of which the signs alone are left: a bit a number, once gzip has seen them.

    They are scaled so that a picture is on average as near to itself as before.
    """
    size = np.mean(np.sum(np.abs(embeddings), axis=1))
    if size == 0:  # pictures that are all the same have no signs
        return embeddings
    return np.where(embeddings < 0, -1, 1).astype(np.float32) / size


def with_neighbours(model: keras.Model, known: Known, neighbours: int, signs: bool = False) -> keras.Model:
    """The same model, sharing its layers, with the known pictures inside.

    Args:
      model: → {head: logits float32[N, C], :data:`FEATURES`: float32[N, F]}.
      known: at least one picture.
      neighbours: how many are asked, at least 1; all, where there are fewer.
      signs: whether the pictures are remembered :func:`by_signs`.

    Returns:
      A model → {head: logits float32[N, C], :func:`votes_key`: float32[N, C], :data:`SIMILARITY` and
      :data:`CENTRALITY`: float32[N], :data:`COMPONENTS`: float32[N, 4], :data:`ROWS`: int32[N, m],
      :data:`SIMILARITIES`: float32[N, m], :data:`EMBEDDING`: float32[N, F], :data:`schema.names.VOTER_WEIGHTS`:
      float32[N, k]} and what the model told beside, the votes of a head adding up to 1, less the weight of the nearest
      that have no label of it.
    """
    outputs = dict(model.output)
    seen = outputs.pop(FEATURES)
    classes = {head: outputs[head].shape[-1] for head in known.labels}
    nearest = NearestPictures(known, neighbours, classes, signs)(seen)
    return keras.Model(model.input, {**outputs, **nearest}, name=model.name)


def known_by(model: keras.Model) -> "NearestPictures | None":
    """The pictures that a model knows; None where it knows none."""
    return next((layer for layer in model.layers if isinstance(layer, NearestPictures)), None)


def memory_of(pictures: "NearestPictures") -> MemoryCard:
    """How the pictures vote that a model knows."""
    return MemoryCard(pictures.neighbours, _SHARPNESS, CORRECTIONS_SHARE, _DISCOUNT)


class NearestPictures(layers.Layer):
    """Has the nearest known pictures vote; for answering only, it learns nothing.

    Attributes:
        told: what can be said of them to a person, in the order of :data:`ROWS`: name → str[M].
        count: how many there are.
        neighbours: how many vote.
    """

    def __init__(self, known: Known, neighbours: int, classes: Mapping[str, int], signs: bool):
        """Remembers the pictures; ``classes``: head → number of its classes. The rest: :func:`with_neighbours`."""
        super().__init__(name="nearest_pictures", trainable=False)
        self._classes = dict(classes)
        self.told, self.count = dict(known.told), len(known.features)
        self.neighbours = min(neighbours, self.count)
        self._asked = min(neighbours + 1, self.count)
        self._listed = min(names.NEIGHBOURS_LISTED, self.count)
        whitening = fit_whitening(known.features)
        self._mean = self._constant("mean", whitening.mean)
        self._matrix = self._constant("matrix", whitening.matrix)
        self._components = self._constant("components", whitening.components)
        # Transposed, which is how the product with a single picture reads it from end to end.
        embedded = np.asarray(ops.normalize(self._whitened(known.features), axis=-1))
        self._pictures = self._constant("pictures", np.transpose(by_signs(embedded) if signs else embedded))
        self._labels = {head: self._constant(head, ids.astype(np.int32)) for head, ids in known.labels.items()}

    def _constant(self, name: str, value: np.ndarray) -> keras.Variable:
        variable = self.add_weight(shape=value.shape, dtype=value.dtype.name, trainable=False, name=name)
        variable.assign(value)
        return variable

    def _whitened(self, features: keras.KerasTensor) -> keras.KerasTensor:
        return ops.matmul(features - self._mean, self._matrix)

    def _weights(self, similarities: keras.KerasTensor) -> keras.KerasTensor:
        """Similarities float32[N, voters and the next one, if there is one], nearest first → float32[N, voters]."""
        told = ops.exp(_SHARPNESS * (similarities - similarities[:, :1]))
        weights = told[:, : self.neighbours]
        if self._asked > self.neighbours:
            weights -= _DISCOUNT * told[:, self.neighbours :]
        return weights / ops.sum(weights, axis=1, keepdims=True)

    def votes(self, voters: keras.KerasTensor, weights: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Rows of known pictures int32[N, k] and their weights float32[N, k] → :func:`votes_key`: float32[N, C]."""
        weights = ops.expand_dims(weights, axis=-1)
        # A label below 0 is a row of zeros.
        return {
            votes_key(head): ops.sum(weights * ops.one_hot(ops.take(self._labels[head], voters), count), axis=1)
            for head, count in self._classes.items()
        }

    def call(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Features float32[N, F] → what :func:`with_neighbours` adds to a model."""
        whitened = self._whitened(features)
        embedding = ops.normalize(whitened, axis=-1)
        all_similarities = ops.matmul(embedding, self._pictures)
        # One search for all: the rest of the listed costs next to nothing.
        listed, rows = ops.top_k(all_similarities, max(self._asked, self._listed))
        weights = self._weights(listed[:, : self._asked])
        distance = ops.maximum(ops.norm(whitened, axis=-1), _LEAST_DISTANCE)
        return {
            **self.votes(rows[:, : self.neighbours], weights),
            SIMILARITY: ops.mean(listed[:, : min(self.neighbours, _NEAREST)], axis=1),
            CENTRALITY: -ops.log(distance),
            EMBEDDING: embedding,
            COMPONENTS: ops.matmul(features - self._mean, self._components),
            names.VOTER_WEIGHTS: weights,
            ROWS: rows[:, : self._listed],
            SIMILARITIES: ops.clip(listed[:, : self._listed], 0.0, 1.0),
        }
