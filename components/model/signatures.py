"""The trained model before it is calibrated: picture bytes in, logits and votes out. Not served, only built upon."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.model import preprocessing
from components.model.classifier import POOLED
from components.model.nearest_pictures import EMBEDDING, ROWS, SIMILARITIES, NearestPictures
from components.naming.model import EVIDENCE, NameModel
from schema import names
from schema.heads import Head

OUTPUTS = "uncalibrated"
"""Signature of an uncalibrated model, with the inputs of ``scores``: per head logits and, where the model remembers
pictures, their votes (:func:`components.model.nearest_pictures.votes_key`), float32[N, C], and how near they are
(:data:`components.model.nearest_pictures.SIMILARITY` and ``CENTRALITY``), float32[N], and where (``COMPONENTS``);
:data:`components.model.classifier.CONTRAST` and ``BRIGHTNESS`` float32[N]; ``image_ok`` bool[N]."""

WITH_MEMORY = "uncalibrated_with_memory"
"""Signature of a model that can tell its known pictures: :data:`OUTPUTS`, and beside them
:data:`components.model.nearest_pictures.EMBEDDING` and ``SIMILARITIES``, and ``features``, ``voters`` and
``voter_weights`` as :mod:`schema.names` has them, of broken pictures too."""

FROM_FEATURES = "uncalibrated_from_features"
"""Signature of a model that can answer from the features of another: per head its logits and votes."""

_OF_MEMORY = (SIMILARITIES, EMBEDDING, *names.OF_FEATURES)

BYTES = tf.TensorSpec([None], tf.string)


@dataclass(frozen=True)
class FromFeatures:
    """Answers from the features of another model that sees and knows the same.

    Attributes:
        heads: of :func:`components.model.classifier.heads_alone`.
        known: the pictures that both know.
    """

    heads: keras.Model
    known: NearestPictures

    def specs(self) -> dict[str, tf.TensorSpec]:
        """Of what :meth:`__call__` takes."""
        votes = [None, self.known.neighbours]
        return {
            names.FEATURES: tf.TensorSpec([None, self.heads.input.shape[-1]], tf.float32, name=names.FEATURES),
            names.VOTERS: tf.TensorSpec(votes, tf.int32, name=names.VOTERS),
            names.VOTER_WEIGHTS: tf.TensorSpec(votes, tf.float32, name=names.VOTER_WEIGHTS),
        }

    def __call__(self, features: tf.Tensor, voters: tf.Tensor, voter_weights: tf.Tensor) -> dict[str, tf.Tensor]:
        """What :data:`FROM_FEATURES` says; who is no known picture has no vote, and fails nobody's call."""
        is_known = (voters >= 0) & (voters < self.known.count)
        votes = self.known.votes(tf.where(is_known, voters, 0), tf.where(is_known, voter_weights, 0.0))
        return {**self.heads(features, training=False), **votes}


class UncalibratedClassifier(tf.Module):
    """A trained classifier behind the transform graph."""

    def __init__(
        self,
        model: keras.Model | None,
        transform_output: tft.TFTransformOutput,
        heads: Sequence[Head],
        told: Mapping[str, np.ndarray] | None = None,
        name_model: NameModel | None = None,
        from_features: FromFeatures | None = None,
    ):
        """Wraps a model.

        Args:
            model: takes uint8 or float32[N, H, W, 3] and gives logits and votes of these heads. None stands for a model
                that has no head: what it tells of a picture is whether it can be read.
            transform_output: of the Transform component.
            heads: of the model.
            told: what the signature ``neighbours`` says of the pictures that the model knows, by the names of its
                outputs: str[M] each; None for a model that is not to tell them.
            name_model: of the same heads; None where there were no names to learn from.
            from_features: of ``model``; None for one that is not to answer from another's features.
        """
        super().__init__(name="uncalibrated_classifier")
        # The bare variables are tracked, and the model is hidden in a partial: a tracked Keras 3 variable is exported
        # twice, and a session, which is how TensorFlow Serving loads, restores the copy that no signature reads.
        self._variables = [variable.value for variable in model.variables] if model else []
        self._outputs: Callable[[tf.Tensor], dict[str, tf.Tensor]] = (
            functools.partial(model, training=False) if model else lambda images: {}
        )
        self._transform = transform_output.transform_features_layer()
        raw = transform_output.raw_feature_spec()
        self._label_specs = {
            head.column: tf.TensorSpec([None], raw[head.column].dtype, name=head.column) for head in heads
        }
        self._heads = [head.name for head in heads]
        self._name_model = name_model
        self._from_features = from_features
        # Variables, since constants lie in the graph, which is copied whenever it is rewritten.
        self._told = {
            name: tf.Variable(tf.constant(texts.tolist()), trainable=False) for name, texts in (told or {}).items()
        }

    def save(self, directory: str) -> None:
        """Writes the SavedModel: :data:`OUTPUTS`, ``label_ids`` if it has heads, and what else it can tell."""
        signatures = {OUTPUTS: tf.function(self.outputs).get_concrete_function(image_bytes=BYTES)}
        if self._heads:
            signatures[names.LABEL_IDS] = tf.function(self.label_ids).get_concrete_function(**self._label_specs)
        if self._told:
            signatures[names.NEIGHBOURS] = tf.function(self.neighbours).get_concrete_function(image_bytes=BYTES)
            signatures[WITH_MEMORY] = tf.function(self.outputs_with_memory).get_concrete_function(image_bytes=BYTES)
        if self._from_features:
            specs = self._from_features.specs()
            signatures[FROM_FEATURES] = tf.function(self._from_features).get_concrete_function(**specs)
        if self._name_model:
            signatures[EVIDENCE] = self._name_model.evidence
        tf.saved_model.save(self, directory, signatures=signatures)

    def outputs(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Pictures string[N] → what :data:`OUTPUTS` says."""
        outputs = self.outputs_with_memory(image_bytes)
        return {key: values for key, values in outputs.items() if key not in _OF_MEMORY}

    def outputs_with_memory(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Pictures string[N] → what :data:`WITH_MEMORY` says."""
        outputs = self._all_outputs(image_bytes)
        rows = outputs.pop(ROWS, None)
        if rows is not None:
            outputs[names.VOTERS] = rows[:, : outputs[names.VOTER_WEIGHTS].shape[1]]
            outputs[names.FEATURES] = outputs.pop(POOLED)
        return outputs

    def neighbours(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Pictures string[N] → the nearest known ones, as :mod:`schema.names` says; of a broken one no text."""
        outputs = self._all_outputs(image_bytes)
        is_ok = outputs[names.IMAGE_OK]
        texts = {name: tf.gather(texts, outputs[ROWS]) for name, texts in self._told.items()}
        return {
            **{name: tf.where(is_ok[:, tf.newaxis], one, "") for name, one in texts.items()},
            names.NEIGHBOUR_SIMILARITIES: outputs[SIMILARITIES] * tf.cast(is_ok, tf.float32)[:, tf.newaxis],
            names.EMBEDDING: outputs[EMBEDDING] * tf.cast(is_ok, tf.float32)[:, tf.newaxis],
            names.IMAGE_OK: is_ok,
        }

    def _all_outputs(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        features = self._transform({names.IMAGE: image_bytes})
        is_ok = tf.cast(features[names.IMAGE_OK], tf.bool)
        return {**self._outputs(features[preprocessing.IMAGE_FEATURE]), names.IMAGE_OK: is_ok}

    def label_ids(self, **labels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Raw labels by column, [N] of the schema's type each → ``<head>_id`` int64[N] of every head."""
        features = self._transform(labels)
        return {names.label_id(head): features[names.label_id(head)] for head in self._heads}
