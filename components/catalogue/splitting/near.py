"""Which pictures are near: those that meet in a cell of the grid are compared, by signatures and then by pixels.

What needs memory is one cell at a time: its signatures, and the thumbnails of those that may be near others.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from components.catalogue.splitting.signatures import (
    NEAR_RMSE,
    UNIT,
    Signatures,
    buckets_of,
    cells_of,
    meeting_cells,
    sign,
)

ROWS_AT_ONCE: Final = 256
COLUMNS_AT_ONCE: Final = 4096
PAIRS_AT_ONCE: Final = 1024

Look = Callable[[np.ndarray], np.ndarray]
"""Indices int[M] of pictures → their thumbnails uint8[M, 32, 24, 3]."""


def near_duplicates(thumbnails: np.ndarray) -> list[list[int]]:
    """Sets of two and more indices that pixels connect. ``thumbnails`` is uint8[N, 32, 24, 3]."""
    if not len(thumbnails):
        return []
    signatures = sign([(0, str(index)) for index in range(len(thumbnails))], thumbnails)
    links = near_links(signatures, thumbnails.__getitem__)
    return [members for members in connected(len(thumbnails), links) if len(members) > 1]


def near_links(signatures: Signatures, look: Look, bucket: int | None = None) -> np.ndarray:
    """Pairs int[L, 2] of indices that connect what is near, in the cells of a bucket; None: in all.

    ``look`` gives the thumbnails of those that may be near others, which are few.
    """
    cells, indices = cells_of(signatures.values)
    if bucket is not None:
        mine = buckets_of(cells) == bucket
        cells, indices = cells[mine], indices[mine]
    order = np.lexsort(cells.T)
    cells, indices = cells[order], indices[order]
    ends = np.flatnonzero(np.any(cells[1:] != cells[:-1], axis=1)) + 1
    links = [np.empty((0, 2), int)]
    for start, end in zip([0, *ends], [*ends, len(cells)], strict=True):
        if end - start > 1:
            links += _links_of_cell(signatures, indices[start:end], cells[start], look)
    return np.concatenate(links)


def connected(count: int, links: np.ndarray) -> list[list[int]]:
    """The sets that links int[L, 2] make of 0 … count-1, each in ascending order."""
    labels = _components(count, links)
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order], append=-1)) + 1
    return [part.tolist() for part in np.split(order, ends)[:-1]]


def _links_of_cell(signatures: Signatures, members: np.ndarray, cell: np.ndarray, look: Look) -> Iterator[np.ndarray]:
    """The links of the pictures that have this cell; those without any are by far the most."""
    _, first, same_as = np.unique(signatures.digests[members], return_index=True, return_inverse=True)
    unique = members[first]
    equal = np.stack([members, unique[same_as.reshape(-1)]], axis=1)[first[same_as.reshape(-1)] != range(len(members))]
    yield _of_cell(signatures, equal, cell)
    pixels = _Pixels(unique, look)
    for pairs, done in _candidates(signatures.values[unique]):
        pixels.forget(done)
        pairs = pairs[_meet_here(signatures, unique[pairs], cell)]
        if len(pairs):
            yield unique[_spanning(pairs[pixels.are_near(pairs)])]


def _of_cell(signatures: Signatures, pairs: np.ndarray, cell: np.ndarray) -> np.ndarray:
    return pairs[_meet_here(signatures, pairs, cell)]


def _meet_here(signatures: Signatures, pairs: np.ndarray, cell: np.ndarray) -> np.ndarray:
    values = signatures.values
    return (meeting_cells(values[pairs[:, 0]], values[pairs[:, 1]]) == cell).all(axis=1)


class _Pixels:
    """Thumbnails of some pictures, each looked at when it is first asked for and held until it is forgotten."""

    def __init__(self, indices: np.ndarray, look: Look) -> None:
        self._indices, self._look = indices, look
        self._seen: dict[int, np.ndarray] = {}  # an array with a place for each would be large, and nearly empty

    def are_near(self, pairs: np.ndarray) -> np.ndarray:
        """bool[M]: whether the pixels of each pair differ by at most NEAR_RMSE."""
        self._see(np.unique(pairs))
        near = np.zeros(len(pairs), bool)
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            some = pairs[start : start + PAIRS_AT_ONCE]
            ones, others = (np.stack([self._seen[index] for index in side]) for side in some.T)
            difference = ones.astype(np.int32) - others
            squares = np.einsum("ij,ij->i", difference, difference)
            near[start : start + PAIRS_AT_ONCE] = squares <= NEAR_RMSE**2 * ones.shape[1]
        return near

    def forget(self, indices: np.ndarray) -> None:
        """Lets go of pictures that are in no more pairs: of a cell of many that are nearly alike all would be held."""
        for index in indices:
            self._seen.pop(index, None)

    def _see(self, wanted: np.ndarray) -> None:
        new = [index for index in wanted if index not in self._seen]
        if new:
            thumbnails = self._look(self._indices[new]).reshape(len(new), -1)
            self._seen.update(zip(new, thumbnails, strict=True))


def _candidates(values: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs int[M, 2] of values int16[N, K] that may be near, in blocks; every near pair is in one of them.

    With each block go the indices int[L] of those that were in blocks before and are in no more.
    """
    scaled = values.astype(np.float32) / UNIT
    scaled -= scaled.mean(axis=0)
    widest = scaled.var(axis=0).argmax()
    order = np.argsort(scaled[:, widest])
    scaled = scaled[order]
    reach = NEAR_RMSE + np.sqrt(values.shape[1]) / UNIT
    norms = np.einsum("ij,ij->i", scaled, scaled)
    # What float32 may miss of a distance of K products, each at most the largest norm.
    slack = 4 * (values.shape[1] + 3) * np.finfo(np.float32).eps * norms.max()
    for start in range(0, len(scaled), ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, len(scaled))
        done = order[max(0, start - ROWS_AT_ONCE) : start]
        stop = int(np.searchsorted(scaled[:, widest], scaled[end - 1, widest] + reach + slack, side="right"))
        for left in range(start, stop, COLUMNS_AT_ONCE):
            right = min(left + COLUMNS_AT_ONCE, stop)
            products = scaled[start:end] @ scaled[left:right].T
            close = norms[None, left:right] - 2 * products <= (reach**2 + slack) - norms[start:end, None]
            rows, columns = np.nonzero(close)
            rows, columns = rows + start, columns + left
            later = columns > rows
            yield np.stack([order[rows[later]], order[columns[later]]], axis=1), done


def _components(count: int, links: np.ndarray) -> np.ndarray:
    """int[count]: the connected component of each node."""
    graph = sparse.coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(count, count))
    return csgraph.connected_components(graph, directed=False)[1]


def _spanning(links: np.ndarray) -> np.ndarray:
    """Links int[K, 2], at most one a node, that connect what ``links`` do: n pictures all alike have n² / 2."""
    nodes, positions = np.unique(links, return_inverse=True)
    labels = _components(len(nodes), positions.reshape(-1, 2))
    _, first = np.unique(labels, return_index=True)
    return np.stack([nodes, nodes[first[labels]]], axis=1)
