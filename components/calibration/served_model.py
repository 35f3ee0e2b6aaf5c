"""The served model: picture bytes in, calibrated scores, labels and the card out. See ``schema/names.py``."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.model.calibration import Calibration, combined
from components.model.familiarity import familiarity, signals
from components.model.looks import looks
from components.model.nearest_pictures import EMBEDDING, SIMILARITIES, votes_key
from components.model.signatures import BYTES, FROM_FEATURES, OUTPUTS, WITH_MEMORY
from components.naming.model import EVIDENCE, NAME, alone_key, factors, factors_key, heard
from schema import model_card, names
from schema.model_card import ModelCard


class ServedClassifier(tf.Module):
    """A trained classifier with everything that it needs to answer on its own."""

    def __init__(
        self,
        uncalibrated: Path,
        card: ModelCard,
        offsets: Mapping[str, np.ndarray],
        priors: Mapping[str, np.ndarray] | None = None,
    ):
        """Builds on a SavedModel of :class:`components.model.signatures.UncalibratedClassifier`.

        Args:
            uncalibrated: the SavedModel.
            card: with the calibration of each head.
            offsets: head → float32[C] of :func:`components.model.calibration.logit_offsets`.
            priors: head → float32[C], shares of its labels in training; of heads with a weight for names.
        """
        super().__init__(name="served_classifier")
        # Kept whole: signatures alone do not keep their variables alive.
        self._uncalibrated = tf.saved_model.load(str(uncalibrated))
        self._outputs = self._uncalibrated.signatures[OUTPUTS]
        self._label_ids = self._uncalibrated.signatures[names.LABEL_IDS] if card.heads else None
        self._with_memory = self._uncalibrated.signatures[WITH_MEMORY] if card.memory else None
        takes_features = card.shared_features and not card.memory
        self._from_features = self._uncalibrated.signatures[FROM_FEATURES] if takes_features else None
        self._evidence = self._uncalibrated.signatures[EVIDENCE] if card.name_weights else None
        self._priors = dict(priors or {})
        self._offsets = {head: tf.constant(offsets[head]) for head in card.heads}
        self._calibrations = {head: Calibration(one.temperature, one.curvature) for head, one in card.heads.items()}
        self._labels = {head: tf.constant(one.labels) for head, one in card.heads.items()}
        self._heads = tuple(card.heads)
        self._card = tf.constant(card.to_json())
        self._document = card

    def save(self, directory: Path) -> None:
        """Writes the SavedModel with its signatures, and the card beside its graph; without heads there is no label."""
        signatures = {
            names.SERVING_DEFAULT: tf.function(self.top_k).get_concrete_function(image_bytes=BYTES),
            names.SCORES: tf.function(self.scores).get_concrete_function(image_bytes=BYTES),
            names.METADATA: tf.function(self.metadata).get_concrete_function(keys=BYTES),
        }
        if self._label_ids:
            # Made anew: a loaded signature's specs have lost the capitals of their names.
            specs = self._label_ids.structured_input_signature[1]
            label_specs = {column: tf.TensorSpec([None], spec.dtype, name=column) for column, spec in specs.items()}
            signatures[names.LABEL_IDS] = tf.function(self.label_ids).get_concrete_function(**label_specs)
        if self._document.known_pictures:
            signatures[names.NEIGHBOURS] = tf.function(self.neighbours).get_concrete_function(image_bytes=BYTES)
        if self._evidence:
            with_name, alone = tf.function(self.scores_with_name), tf.function(self.name_scores)
            signatures[names.SCORES_WITH_NAME] = with_name.get_concrete_function(image_bytes=BYTES, name=NAME)
            signatures[names.NAME_SCORES] = alone.get_concrete_function(name=NAME)
        named = {"name": NAME} if self._evidence else {}
        if self._from_features:
            specs = self._from_features.structured_input_signature[1]
            from_features = tf.function(self.scores_from_features)
            signatures[names.SCORES_FROM_FEATURES] = from_features.get_concrete_function(**specs, **named)
        if self._with_memory:
            with_memory = tf.function(self.scores_with_memory)
            signatures[names.SCORES_WITH_MEMORY] = with_memory.get_concrete_function(image_bytes=BYTES, **named)
        tf.saved_model.save(self, str(directory), signatures=signatures)
        model_card.write_file(directory, self._document)

    def scores(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Scores: string[N] → {head: float32[N, C], ``image_ok``: bool[N]}, and what the card says beside."""
        return self._answers(self._outputs(image_bytes=image_bytes))

    def _answers(self, outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        is_ok = outputs[names.IMAGE_OK]
        answered = tf.cast(is_ok, tf.float32)
        scores = {head: self._calibrated(head, outputs) for head in self._heads}
        answers = {head: values * answered[:, tf.newaxis] for head, values in scores.items()}
        if self._document.familiarity:
            known = signals(outputs, names.ARTICLE_TYPE, scores[names.ARTICLE_TYPE])
            answers[names.FAMILIARITY] = familiarity(known, self._document.familiarity) * answered
        if self._document.eval_histograms and (wanted := self._document.eval_histograms.looks):
            told = looks(outputs)
            answers[names.LOOKS] = tf.stack([told[name] for name in wanted], axis=1) * answered[:, tf.newaxis]
        return {**answers, names.IMAGE_OK: is_ok}

    def scores_with_name(self, image_bytes: tf.Tensor, name: tf.Tensor) -> dict[str, tf.Tensor]:
        """Pictures and plain names, string[N] each → what ``scores`` tells, but by both, and how the name was taken."""
        return self._hear(self.scores(image_bytes), name)

    def scores_with_memory(self, image_bytes: tf.Tensor, name: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """What ``scores``, or ``scores_with_name``, tells, and what of the known pictures its answer rests on."""
        assert self._with_memory  # else there is no such signature
        outputs = self._with_memory(image_bytes=image_bytes)
        answers = self._answers(outputs)
        answered = tf.cast(outputs[names.IMAGE_OK], tf.float32)[:, tf.newaxis]
        if self._document.shared_features:
            answers |= {key: outputs[key] * answered for key in (names.FEATURES, names.VOTER_WEIGHTS)}
            answers[names.VOTERS] = outputs[names.VOTERS] * tf.cast(answered, tf.int32)
        return {
            **(answers if name is None else self._hear(answers, name)),
            names.EMBEDDING: outputs[EMBEDDING] * answered,
            names.NEIGHBOUR_SIMILARITIES: outputs[SIMILARITIES] * answered,
        }

    def scores_from_features(
        self, features: tf.Tensor, voters: tf.Tensor, voter_weights: tf.Tensor, name: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """What ``scores``, or ``scores_with_name``, tells, from what another model saw; see ``schema/names.py``."""
        assert self._from_features  # else there is no such signature
        outputs = self._from_features(features=features, voters=voters, voter_weights=voter_weights)
        answers = self._answers({**outputs, names.IMAGE_OK: tf.reduce_any(voter_weights > 0, axis=1)})
        return answers if name is None else self._hear(answers, name)

    def _hear(self, answers: dict[str, tf.Tensor], name: tf.Tensor) -> dict[str, tf.Tensor]:
        assert self._evidence  # else there is no such signature
        answers, evidence = dict(answers), self._evidence(name=name)
        is_heard = evidence[names.NAME_KNOWN] & answers[names.IMAGE_OK]
        fits = tf.ones_like(is_heard, tf.float32)
        for head, weight in self._document.name_weights.items():
            both, head_fits = heard(answers[head], factors(evidence[head], self._priors[head], weight))
            answers[head] = tf.where(is_heard[:, tf.newaxis], both, answers[head])
            if self._document.heads[head].level is not None:
                fits = tf.where(is_heard, tf.minimum(fits, head_fits), fits)
        return {**answers, names.NAME_KNOWN: evidence[names.NAME_KNOWN], names.NAME_FITS: fits}

    def name_scores(self, name: tf.Tensor) -> dict[str, tf.Tensor]:
        """Plain names string[N] → what they say alone, and what they make of a picture's scores."""
        assert self._evidence
        told, answers = self._evidence(name=name), {}
        for head, weight in self._document.name_weights.items():
            answers[head] = told[alone_key(head)]
            answers[factors_key(head)] = factors(told[head], self._priors[head], weight)
        return {**answers, names.NAME_KNOWN: told[names.NAME_KNOWN]}

    def _calibrated(self, head: str, outputs: dict[str, tf.Tensor]) -> tf.Tensor:
        logits = combined(outputs[head], outputs.get(votes_key(head)), self._offsets[head])
        return self._calibrations[head].scores(logits)

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

    def neighbours(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """The nearest known pictures: string[N] → as training left it; calibration changes nothing of it."""
        found: dict[str, tf.Tensor] = self._uncalibrated.signatures[names.NEIGHBOURS](image_bytes=image_bytes)
        return found

    def metadata(self, keys: tf.Tensor) -> dict[str, tf.Tensor]:
        """Documents by key: string[N] → ``values`` string[N], empty for a key that is not known."""
        return {names.METADATA_VALUES: tf.where(keys == names.CARD_KEY, self._card, "")}

    def label_ids(self, **labels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Raw labels by column, [N] of the schema's type each → ``<head>_id`` int64[N], as training numbered them."""
        assert self._label_ids  # else there is no such signature
        return self._label_ids(**labels)
