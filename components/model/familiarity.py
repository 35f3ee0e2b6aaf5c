"""How familiar a picture is to a model, 0 to 1: as a formula of its own numbers. Nothing is learned of what is strange.

Each signal is a number that is large where a picture is like those that were learnt from. Below what is usual of it, it
adds to the picture's strangeness by the square, so that one signal far off outweighs the others:

    strangeness = Σ max(1 - z, 0)²    z = (signal - mean) / deviation, of the eval split
    familiarity = 1 / (1 + strangeness / scale)

What is more familiar than usual by a deviation is so once: a plain picture that one signal takes for the surest of all
must not be saved by that.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from components.model.classifier import CONTRAST
from components.model.nearest_pictures import NEARNESS
from schema.card_parts import FamiliarityCard, Signal

ENERGY = "energy"
"""``log Σ exp`` of the network's logits (Liu et al., "Energy-based Out-of-distribution Detection", 2020, eq. 4)."""

CONFIDENCE = "confidence"
"""Calibrated probability of the best label, by the network and the nearest pictures together."""


def signals(outputs: Mapping[str, Any], head: str, scores: Any) -> dict[str, tf.Tensor]:
    """The signals of N pictures, float32[N] each.

    Args:
        outputs: of an uncalibrated model.
        head: whose logits and scores count.
        scores: float32[N, C], its calibrated probabilities.
    """
    told = {key: tf.convert_to_tensor(outputs[key]) for key in (*NEARNESS, CONTRAST) if key in outputs}
    energy = tf.reduce_logsumexp(tf.convert_to_tensor(outputs[head]), axis=1)
    return {**told, ENERGY: energy, CONFIDENCE: tf.reduce_max(tf.convert_to_tensor(scores), axis=1)}


def strangeness(values: Mapping[str, tf.Tensor], usual: Mapping[str, Signal]) -> tf.Tensor:
    """Signals float32[N] each → float32[N], at least 0."""
    below = [tf.nn.relu(1.0 - (values[name] - one.mean) / one.deviation) for name, one in usual.items()]
    return tf.add_n([tf.square(one) for one in below])


def familiarity(values: Mapping[str, tf.Tensor], card: FamiliarityCard) -> tf.Tensor:
    """Signals float32[N] each → float32[N], above 0 and at most 1."""
    return 1.0 / (1.0 + strangeness(values, card.signals) / card.scale)
