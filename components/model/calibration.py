"""What an answer is made of, as formulas: logits and votes in, calibrated probabilities out. Nothing is learned."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

_VOTES_SHARE = 0.5
_LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities: ``softmax(-(g + c·g²) / T)`` of each class's gap g to the best logit.

    With a curvature c of 0 it is temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017,
    section 4.2). That alone cannot mend what label smoothing and mixup do, which press the unlikely classes up to a
    floor: it has to choose between sharpening those and softening the close rivals. The curvature does the one, the
    temperature the other. The ranking stays as it is, since c is never below 0.

    Attributes:
        temperature: T, above 0.
        curvature: c, at least 0.
    """

    temperature: float = 1.0
    curvature: float = 0.0

    def logits(self, gaps: Any) -> Any:
        """Calibrated logits of gaps, which are at least 0; arrays and tensors of any shape."""
        return -(gaps + self.curvature * gaps * gaps) / self.temperature

    def gaps(self, logits: np.ndarray) -> np.ndarray:
        """The gaps that calibrated logits, 0 at best, came from: the inverse of :meth:`logits`."""
        scaled = -self.temperature * logits
        return 2 * scaled / (1 + np.sqrt(1 + 4 * self.curvature * scaled))

    def scores(self, logits: tf.Tensor) -> tf.Tensor:
        """Logits float32[N, C] → probabilities float32[N, C]."""
        return tf.nn.softmax(self.logits(tf.reduce_max(logits, axis=1, keepdims=True) - logits))


def logit_offsets(counts: np.ndarray, tau: float) -> np.ndarray:
    """What comes off each class's logit, so that rare classes are named more often: ``τ · log(share of the class)``.

    Menon et al., "Long-tail learning via logit adjustment", 2021, equation 9.

    Args:
        counts: int[C], rows of each class in training; a class without a row counts as one.
        tau: 0 leaves the logits as they are; 1 is for balanced classes.

    Returns:
        float32[C].
    """
    rows = np.maximum(np.asarray(counts, np.float64), 1.0)
    return (tau * np.log(rows / rows.sum())).astype(np.float32)


def combined(logits: tf.Tensor, votes: tf.Tensor | None, offsets: np.ndarray) -> tf.Tensor:
    """The network's word and that of the nearest known pictures, which have half the say, in one.

    ``P = ½ P_network + ½ P_nearest``, after Khandelwal et al., "Generalization through Memorization: Nearest Neighbor
    Language Models", 2020, equations 2 and 3. Where the nearest lack a label, their weight stays with the network.

    Args:
        logits: float32[N, C], of the network.
        votes: float32[N, C], shares of the labels among the nearest pictures, up to 1 in all; None where the model
            remembers none.
        offsets: of :func:`logit_offsets`.

    Returns:
        Uncalibrated logits, float32[N, C].
    """
    logits = tf.convert_to_tensor(logits) - offsets
    if votes is None:
        return logits
    of_votes = _VOTES_SHARE * tf.reduce_sum(votes, axis=1, keepdims=True)
    probabilities = (1 - of_votes) * tf.nn.softmax(logits) + _VOTES_SHARE * votes
    return tf.math.log(tf.maximum(probabilities, _LEAST_PROBABILITY))
