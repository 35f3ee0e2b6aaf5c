"""The served model: picture bytes in, calibrated scores, labels and the card out. See ``schema/names.py``."""

import functools
import json
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft

from components.calibration.fitting import Calibration
from components.model import preprocessing
from schema import heads as table
from schema import names

_BYTES = tf.TensorSpec([None], tf.string)


class ServedClassifier(tf.Module):
    """A trained classifier with everything that it needs to answer on its own."""

    def __init__(self, model: keras.Model, transform_output: tft.TFTransformOutput, card: dict[str, Any]):
        """Wraps ``model`` with the card of :data:`schema.names.CARD_KEY`.

        The model takes uint8 or float32[N, H, W, 3] and gives {head: logits float32[N, C]}.
        """
        super().__init__(name="served_classifier")
        # The bare variables are tracked, and the model is hidden in a partial: a tracked Keras 3 variable is exported
        # twice, and a session, which is how TensorFlow Serving loads, restores the copy that no signature reads.
        self._variables = [variable.value for variable in model.variables]
        self._logits = functools.partial(model, training=False)
        self._transform = transform_output.transform_features_layer()
        self._heads = tuple(card["heads"])
        self._calibrations = {
            head: Calibration(description["temperature"], description["curvature"])
            for head, description in card["heads"].items()
        }
        self._labels = {head: tf.constant(card["heads"][head]["labels"]) for head in self._heads}
        self._card = tf.constant(json.dumps(card, ensure_ascii=False, sort_keys=True))

    def save(self, directory: str) -> None:
        """Writes the SavedModel with its four signatures."""
        label_specs = {column: tf.TensorSpec([None], tf.string, name=column) for column in table.columns()}
        signatures = {
            names.SERVING_DEFAULT: tf.function(self.top_k).get_concrete_function(image_bytes=_BYTES),
            names.SCORES: tf.function(self.scores).get_concrete_function(image_bytes=_BYTES),
            names.METADATA: tf.function(self.metadata).get_concrete_function(keys=_BYTES),
            names.LABEL_IDS: tf.function(self.label_ids).get_concrete_function(**label_specs),
        }
        tf.saved_model.save(self, directory, signatures=signatures)

    def scores(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Full scores: string[N] → {head: float32[N, C], ``image_ok``: bool[N]}."""
        features = self._transform({names.IMAGE: image_bytes})
        logits = self._logits(features[preprocessing.IMAGE_FEATURE])
        is_ok = tf.cast(features[names.IMAGE_OK], tf.bool)
        scores = {
            head: self._calibrated(head, logits[head]) * tf.cast(is_ok, tf.float32)[:, tf.newaxis]
            for head in self._heads
        }
        return {**scores, names.IMAGE_OK: is_ok}

    def _calibrated(self, head: str, logits: tf.Tensor) -> tf.Tensor:
        gaps = tf.reduce_max(logits, axis=1, keepdims=True) - logits
        return tf.nn.softmax(self._calibrations[head].logits(gaps))

    def top_k(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Best labels and their scores: string[N] → per head string[N, k] and float32[N, k], ``image_ok`` bool[N]."""
        scores = self.scores(image_bytes)
        outputs = {names.IMAGE_OK: scores[names.IMAGE_OK]}
        for head in self._heads:
            best = tf.math.top_k(scores[head], k=min(names.TOP_K, len(self._labels[head])))
            labels = tf.gather(self._labels[head], best.indices)
            is_ok = tf.broadcast_to(scores[names.IMAGE_OK][:, tf.newaxis], tf.shape(labels))
            outputs[names.labels_tensor(head)] = tf.where(is_ok, labels, "")
            outputs[names.scores_tensor(head)] = best.values
        return outputs

    def metadata(self, keys: tf.Tensor) -> dict[str, tf.Tensor]:
        """Documents by key: string[N] → ``values`` string[N], empty for a key that is not known."""
        return {names.METADATA_VALUES: tf.where(keys == names.CARD_KEY, self._card, "")}

    def label_ids(self, **labels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Raw labels by column, string[N] each → ``<head>_id`` int64[N] of every head of the taxonomy."""
        features = self._transform(labels)
        return {names.label_id(head.name): features[names.label_id(head.name)] for head in table.taxonomy()}
