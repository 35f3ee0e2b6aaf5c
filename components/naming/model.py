"""What a product's name says of it: a linear model over the words of names and over the pieces that they are made of.

A name is a hint and may be another product's. So a label's probability P by the picture becomes

    P · (ε + (1 - ε) · r)    divided by its sum,    r = P(name | label) / P(name)

where ε, :data:`DOUBT`, is the chance that the name has nothing to do with the picture: a mixture of the product of both
experts (Hinton, "Training Products of Experts by Minimizing Contrastive Divergence", 2002) and of the picture alone.
The ratio r comes of the linear model's logits z, weighted by w, and of the shares p of the labels in training:
``r = e^(w z) / Σ p e^(w z)``. A name that says nothing has z = 0, and changes nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from schema import names

PIECES = (3, 4)
"""Characters of the pieces of words; they know an unknown word by what it is made of."""

DOUBT = 0.1

EVIDENCE = "name_evidence"
"""Signature of an uncalibrated model, where it has a name model: ``name`` string[N], plain
(:func:`schema.product_names.plain`), to what :meth:`NameModel.evidence` says."""

NAME = tf.TensorSpec([None], tf.string, name=names.NAME)


def alone_key(head: str) -> str:
    """Key of the probabilities of ``head`` by the name alone, beside the evidence."""
    return f"{head}_alone"


def factors_key(head: str) -> str:
    """Name of the ``name_scores`` output with the factors of ``head``."""
    return f"{head}_factors"


def words(plain_names: tf.Tensor) -> tf.RaggedTensor:
    """Plain names string[N] → their words, string[N, None]."""
    return tf.strings.split(plain_names)


def grams(plain_names: tf.Tensor) -> tf.RaggedTensor:
    """Plain names string[N] → their words and pieces, string[N, None]; a piece begins with "#", and "_" ends a word."""
    spaced = tf.strings.regex_replace(tf.strings.join(["_", plain_names, "_"]), " ", "_")
    pieces = tf.strings.ngrams(tf.strings.unicode_split(spaced, "UTF-8"), PIECES, separator="")
    marked = tf.ragged.map_flat_values(lambda texts: tf.strings.join(["#", texts]), pieces)
    return tf.concat([words(plain_names), marked], axis=1)


class NameModel(tf.Module):
    """The linear model of all heads of a model."""

    def __init__(
        self,
        vocabulary: Sequence[str],
        weights: Mapping[str, np.ndarray],
        biases: Mapping[str, np.ndarray],
        usual_grams: float,
    ):
        """Puts it together.

        Args:
            vocabulary: V words and pieces.
            weights: head → float32[V, C].
            biases: head → float32[C].
            usual_grams: how many words and pieces a name usually has; one with fewer says less.
        """
        super().__init__(name="name_model")
        positions = tf.range(len(vocabulary), dtype=tf.int64)
        entries = tf.lookup.KeyValueTensorInitializer(tf.constant(list(vocabulary)), positions)
        self._table = tf.lookup.StaticHashTable(entries, default_value=-1)
        self._usual = float(usual_grams)
        self._sizes = {head: values.shape[1] for head, values in weights.items()}
        self._biases = {head: tf.constant(values) for head, values in biases.items()}
        # A variable, since constants lie in the graph, which is copied whenever it is rewritten.
        self._weights = tf.Variable(np.concatenate(list(weights.values()), axis=1), trainable=False)

    @tf.function(input_signature=[NAME])
    def evidence(self, name: tf.Tensor) -> dict[str, tf.Tensor]:
        """Plain names string[N] → per head logits z float32[N, C], 0 where nothing is known of a name.

        Beside them :func:`alone_key`, float32[N, C], and ``name_known`` bool[N]: whether training had one of its words.
        A name whose pieces alone are known is not heard, since any two languages have some in common.
        """
        found = grams(name)
        ids = self._table.lookup(found)
        is_known = tf.reduce_any(self._table.lookup(words(name)) >= 0, axis=1)
        listed = tf.ragged.boolean_mask(ids, ids >= 0)
        rows = tf.gather(self._weights, listed.flat_values)
        total = tf.math.unsorted_segment_sum(rows, listed.value_rowids(), tf.size(name))
        length = tf.maximum(tf.cast(found.row_lengths(), tf.float32), self._usual)
        logits = tf.where(is_known[:, tf.newaxis], total / tf.sqrt(length)[:, tf.newaxis], 0.0)
        parts = dict(zip(self._sizes, tf.split(logits, list(self._sizes.values()), axis=1), strict=True))
        alone = {alone_key(head): tf.nn.softmax(z + self._biases[head]) for head, z in parts.items()}
        return {**parts, **alone, names.NAME_KNOWN: is_known}


def factors(evidence: tf.Tensor, priors: np.ndarray, weight: float) -> tf.Tensor:
    """By what a name multiplies each label's probability by the picture, before they add up to 1 again.

    Args:
        evidence: float32[N, C], of the name.
        priors: float32[C], shares of the labels in training, each above 0.
        weight: of the evidence, at least 0.

    Returns:
        ``ε + (1 - ε) r``, float32[N, C].
    """
    logits = weight * tf.convert_to_tensor(evidence)
    ratios = tf.exp(logits - tf.reduce_logsumexp(logits + np.log(priors), axis=1, keepdims=True))
    return DOUBT + (1 - DOUBT) * ratios


def heard(scores: tf.Tensor, of_name: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The picture's word and the name's in one, and how well they fit.

    Args:
        scores: float32[N, C], by the picture, adding up to 1.
        of_name: :func:`factors` of its name.

    Returns:
        Probabilities float32[N, C], and float32[N], 0 to 1: the chance that the name belongs to what the picture shows.
    """
    weighted = scores * of_name
    total = tf.reduce_sum(weighted, axis=1, keepdims=True)
    return weighted / total, 1 - DOUBT / total[:, 0]


def shares(counts: np.ndarray) -> np.ndarray:
    """int[C], rows of each label in training → its share, float32[C]; one without a row counts as one."""
    rows = np.maximum(np.asarray(counts, np.float64), 1.0)
    return (rows / rows.sum()).astype(np.float32)
