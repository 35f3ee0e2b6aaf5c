"""What each row's label looks like to a classifier that has seen neither the row nor its relatives."""

import warnings
from collections.abc import Callable
from typing import Final

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from components.evaluation.label_audit.neighbours import directions

FOLDS: Final = 5
FEWEST_ROWS: Final = 10
"""A class with fewer rows cannot be told from its own mistakes."""

NO_FOLD: Final = -1

_SPLITTER: Final = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
_COMPONENTS: Final = 256
_INVERSE_PENALTY: Final = 30.0
"""Of 1 to 100 the likeliest on 830 and on 600 rows; 10 to 100 suspect the same rows but for a few."""

_ITERATIONS: Final = 200


def fold_of_rows(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """int[N]: the fold of each row, :data:`NO_FOLD` where its label cannot be judged.

    Rows of one group share a fold, and each label spreads over the folds as it can. A label cannot be judged that has
    fewer than :data:`FEWEST_ROWS` rows, or rows in one fold alone: who did not learn from these has never seen it.

    Args:
        labels: str[N].
        groups: str[N].
    """
    folds = np.full(len(labels), NO_FOLD)
    kept = np.flatnonzero(_rows_of_label(labels) >= FEWEST_ROWS)
    if len(np.unique(groups[kept])) < FOLDS:
        return folds
    with warnings.catch_warnings():
        # Of a label with few groups, which is looked at below.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for number, (_, held_out) in enumerate(_SPLITTER.split(kept[:, None], labels[kept], groups[kept])):
            folds[kept[held_out]] = number
    for label in np.unique(labels[kept]):
        if len(np.unique(folds[labels == label])) == 1:
            folds[labels == label] = NO_FOLD
    return folds


def _rows_of_label(labels: np.ndarray) -> np.ndarray:
    _, position, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return counts[position]


def out_of_fold_probabilities(
    features: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    progress: Callable[[int], object] = lambda folds: None,
) -> np.ndarray:
    """Probabilities of the labels, each row's from a classifier that was fitted on the other folds.

    Logistic regression over principal components of the features' directions, which are found once, without the labels.

    Args:
        features: float32[N, D].
        labels: int[N], 0 … C-1, each of them in two folds at least; two or more of them.
        folds: int[N], of :func:`fold_of_rows`, of rows that can be judged.
        progress: called with 1 after each fold.

    Returns:
        float64[N, C], rows sum to 1.
    """
    # Not whitened: of few rows, the components that hold next to nothing would be most of what is learnt.
    components = min(_COMPONENTS, *features.shape)
    reduced = PCA(components, random_state=0).fit_transform(directions(features))
    probabilities = np.zeros((len(labels), labels.max() + 1))
    for fold in np.unique(folds):
        held_out = folds == fold
        classifier = LogisticRegression(C=_INVERSE_PENALTY, max_iter=_ITERATIONS)
        classifier.fit(reduced[~held_out], labels[~held_out])
        probabilities[np.ix_(held_out, classifier.classes_)] = classifier.predict_proba(reduced[held_out])
        progress(1)
    return probabilities
