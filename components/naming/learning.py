"""Learns the name model from the training split: its vocabulary, and a linear model of each head."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from components.naming.model import NameModel, grams, shares

FEWEST_NAMES = 5
"""Different names that must have a word or piece before it is kept, so that no product's name can be read off a model.

Different ones, since rows of one group often share a name.
"""

MOST_GRAMS = 20_000
MOST_ROWS = 131_072
_BATCH = 1_024
_INVERSE_PENALTY = 30.0
_MOST_STEPS = 100


def learn_names(
    plain_names: Sequence[str],
    bare_names: Sequence[str],
    labels: Mapping[str, np.ndarray],
    counts: Mapping[str, Sequence[int]],
) -> NameModel | None:
    """A model of names; None where they have nothing in common, as where a catalogue has none.

    Args:
        plain_names: of N rows, in the order of the labels; "" where a row has none.
        bare_names: the same without their labels' own words. Both are learnt from, where they differ: from whole names
            alone it would learn that a name without such a word is of another type.
        labels: head → int64[N]; rows below 0 are left out.
        counts: head → rows of each class in training.
    """
    plain_names = plain_names[:MOST_ROWS]
    vocabulary = learn_vocabulary(plain_names)
    if not vocabulary:
        return None
    differ = [row for row, name in enumerate(plain_names) if bare_names[row] != name]
    usual = _usual_grams(plain_names)
    features = _features([*plain_names, *(bare_names[row] for row in differ)], vocabulary, usual)
    has_name = np.diff(features.indptr) > 0
    rows = [*range(len(plain_names)), *differ]
    fitted = {
        head: _fit(features, ids[rows], has_name, shares(np.asarray(counts[head]))) for head, ids in labels.items()
    }
    weights, biases = ({head: pair[part] for head, pair in fitted.items()} for part in (0, 1))
    return NameModel(vocabulary, weights, biases, usual)


def name_evidence(model: NameModel, plain_names: Sequence[str], heads: Sequence[str]) -> dict[str, np.ndarray]:
    """Head → what the names say of it, float32[N, C]."""
    texts = [plain_names[at : at + _BATCH] for at in range(0, len(plain_names), _BATCH)] or [[]]
    batches = [model.evidence(tf.constant(some, tf.string)) for some in texts]
    return {head: np.concatenate([batch[head].numpy() for batch in batches]) for head in heads}


def learn_vocabulary(plain_names: Sequence[str]) -> list[str]:
    """Words and pieces of :data:`FEWEST_NAMES` different names or more, the commonest first."""
    different = sorted(set(plain_names) - {""})
    counts: Counter[str] = Counter()
    for found in _batches(different):
        counts.update(text for row in found.to_list() for text in {one.decode() for one in row})
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [text for text, count in ranked[:MOST_GRAMS] if count >= FEWEST_NAMES]


def _batches(plain_names: Sequence[str]) -> list[tf.RaggedTensor]:
    return [grams(tf.constant(plain_names[at : at + _BATCH])) for at in range(0, len(plain_names), _BATCH)]


def _usual_grams(plain_names: Sequence[str]) -> float:
    """The median number of words and pieces of a name."""
    lengths = np.concatenate([found.row_lengths().numpy() for found in _batches(plain_names)])
    return float(np.median(lengths[lengths > 0]))


def _features(plain_names: Sequence[str], vocabulary: Sequence[str], usual: float) -> sparse.csr_matrix:
    """What the model multiplies its weights with, [N, V]."""
    positions = {text.encode(): i for i, text in enumerate(vocabulary)}
    rows = [row for found in _batches(plain_names) for row in found.to_list()]
    lengths = np.array([len(row) for row in rows], np.float64)
    known = [[positions[text] for text in row if text in positions] for row in rows]
    values = np.repeat(1 / np.sqrt(np.maximum(lengths, usual)), [len(row) for row in known])
    starts = np.cumsum([0, *(len(row) for row in known)])
    indices = np.fromiter((one for row in known for one in row), np.int64, starts[-1])
    return sparse.csr_matrix((values.astype(np.float32), indices, starts), (len(rows), len(vocabulary)))


def _fit(
    features: sparse.csr_matrix, ids: np.ndarray, has_name: np.ndarray, priors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights float32[V, C] and biases float32[C]; a class without a named row has its share alone."""
    weights = np.zeros((features.shape[1], len(priors)), np.float32)
    biases = np.log(priors)
    used = has_name & (ids >= 0)
    if len(set(ids[used])) < 2:
        return weights, biases
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=_MOST_STEPS, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # how far it came is as good: the penalty is a guess too
        model.fit(features[used], ids[used])
    classes = model.classes_
    if len(classes) == 2:  # one row of weights tells both
        weights[:, classes] = np.concatenate([-model.coef_, model.coef_]).T / 2
        biases[classes] = np.array([-1, 1]) * model.intercept_ / 2
    else:
        weights[:, classes] = model.coef_.T
        biases[classes] = model.intercept_
    return weights, biases.astype(np.float32)
