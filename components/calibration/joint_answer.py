"""The joint answer of both models for many rows at once: the known path that suits all three heads best.

The formula is that of ``serving/merger/core/merge.py``, which answers row by row without NumPy; a test holds them
together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from schema import names

_FLOOR = 1e-12


class JointAnswer:
    """Combines the heads' scores over the paths of a taxonomy."""

    def __init__(self, taxonomy: Sequence[Mapping[str, Any]], labels: Mapping[str, Sequence[str]]):
        """Prepares the paths.

        Args:
          taxonomy: of the model's card: labels by head name, and ``count``.
          labels: head → its labels, in the order of the scores.
        """
        position = {head: {label: i for i, label in enumerate(known)} for head, known in labels.items()}
        self._columns = {head: np.array([position[head][path[head]] for path in taxonomy]) for head in labels}
        counts = np.array([path["count"] for path in taxonomy], np.float64)
        of_type = np.zeros(len(labels[names.ARTICLE_TYPE]))
        np.add.at(of_type, self._columns[names.ARTICLE_TYPE], counts)
        self._log_prior = np.log(counts / of_type[self._columns[names.ARTICLE_TYPE]])

    def best(self, scores: Mapping[str, np.ndarray], exponents: Mapping[str, float]) -> dict[str, np.ndarray]:
        """The best path of each row.

        Args:
          scores: head → float[N, C].
          exponents: weight of each head's logarithm, and of ``path``, the share of the path among those of its type.

        Returns:
          Head → int[N], positions of the labels.
        """
        total = exponents["path"] * self._log_prior
        for head, columns in self._columns.items():
            total = total + exponents[head] * np.log(scores[head][:, columns] + _FLOOR)
        path = total.argmax(axis=1)
        return {head: columns[path] for head, columns in self._columns.items()}

    def looked_up(self, article_types: np.ndarray) -> dict[str, np.ndarray]:
        """The commonest path of each article type: int[N] → head → int[N]."""
        commonest = np.zeros(self._columns[names.ARTICLE_TYPE].max() + 1, np.int64)
        # Rising counts, so that the commonest path of a type is written last.
        for path in np.argsort(self._log_prior, kind="stable"):
            commonest[self._columns[names.ARTICLE_TYPE][path]] = path
        return {head: columns[commonest[article_types]] for head, columns in self._columns.items()}
