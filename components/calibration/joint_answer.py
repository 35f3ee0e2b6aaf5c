"""The joint answer of both models for many rows at once: the known path that suits all heads of the taxonomy best.

The formula is that of ``serving/merger/core/merge.py``, which answers row by row without NumPy; a test holds them
together.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from schema import heads as table
from schema.model_card import CONTRADICTION, PATH, TaxonomyPath

_FLOOR = 1e-12


class JointAnswer:
    """Combines the heads' scores over the paths of a taxonomy."""

    def __init__(self, taxonomy: Sequence[TaxonomyPath], labels: Mapping[str, Sequence[str]]):
        """Prepares the paths.

        Args:
            taxonomy: of the model card.
            labels: head → its labels, in the order of the scores; of the levels that the taxonomy has, and of heads
              outside of it, which are left out.
        """
        self.levels = tuple(head.name for head in table.taxonomy() if head.name in labels)
        position = {level: {label: i for i, label in enumerate(labels[level])} for level in self.levels}
        self._columns = {
            level: np.array([position[level][path.labels[depth]] for path in taxonomy])
            for depth, level in enumerate(self.levels)
        }
        counts = np.array([path.count for path in taxonomy], np.float64)
        self._leaves = self._columns[self.levels[-1]]
        self._log_prior = np.log(counts / np.bincount(self._leaves, counts)[self._leaves])

    def logarithms(self, scores: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the exponents weigh: head → log P of each path's label, float[N, P], and :data:`PATH` → float[P]."""
        heads = {level: np.log(scores[level][:, columns] + _FLOOR) for level, columns in self._columns.items()}
        return {**heads, PATH: self._log_prior}

    def best(self, scores: Mapping[str, np.ndarray], exponents: Mapping[str, float]) -> dict[str, np.ndarray]:
        """The best path of each row.

        Args:
            scores: head → float[N, C].
            exponents: weight of each head's logarithm, and of :data:`PATH`, the share of the path among those of its
              type.

        Returns:
            Level → int[N], positions of the labels.
        """
        path, _ = self.answers(scores, exponents)
        return {level: columns[path] for level, columns in self._columns.items()}

    def answers(
        self, scores: Mapping[str, np.ndarray], exponents: Mapping[str, float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The best path of each row, int[N], and how sure it is, float[N].

        It is less sure where the heads contradict it, by the exponent :data:`schema.model_card.CONTRADICTION`.
        """
        parts = [exponents[key] * logs for key, logs in self.logarithms(scores).items()]
        chances = special.softmax(np.sum(np.broadcast_arrays(*parts), axis=0), axis=1)
        path = chances.argmax(axis=1)
        trust = np.exp(-exponents.get(CONTRADICTION, 0.0) * self.contradiction(scores, path))
        return path, chances[np.arange(len(path)), path] * trust

    def contradiction(self, scores: Mapping[str, np.ndarray], path: np.ndarray) -> np.ndarray:
        """float[N], 0 or more: what the heads give up for these paths int[N]."""
        rows, total = np.arange(len(path)), np.zeros(len(path))
        for level, columns in self._columns.items():
            logs = np.log(scores[level] + _FLOOR)
            total += logs.max(axis=1) - logs[rows, columns[path]]
        return total

    def paths_of(self, labels: Mapping[str, np.ndarray]) -> np.ndarray:
        """The path of each row by its labels: level → int[N] → int[N], -1 for one that training lacks."""
        known = {path: i for i, path in enumerate(zip(*self._columns.values(), strict=True))}
        rows = zip(*(labels[level].tolist() for level in self.levels), strict=True)
        return np.array([known.get(row, -1) for row in rows], np.int64)

    def looked_up(self, article_types: np.ndarray) -> dict[str, np.ndarray]:
        """The commonest path of each article type: int[N] → level → int[N]."""
        commonest = np.zeros(self._leaves.max() + 1, np.int64)
        # Rising counts, so that the commonest path of a type is written last.
        for path in np.argsort(self._log_prior, kind="stable"):
            commonest[self._leaves[path]] = path
        return {level: columns[commonest[article_types]] for level, columns in self._columns.items()}
