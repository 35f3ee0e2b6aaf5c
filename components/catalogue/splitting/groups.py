"""Groups of rows that show the same product: the same name, or (nearly) the same pixels.

Nearness is an RMSE of colour over thumbnails. Averaging blocks of pixels never raises it, so pairs that are far apart
in pooled thumbnails, or in mean brightness, are ruled out exactly: candidates are complete, and only they are compared.
"""

import hashlib
import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

NEAR_RMSE: Final = 4.0  # of 255, over all pixels and channels
POOL: Final = 4  # thumbnail pixels to a pooled pixel, each way
ROWS_AT_ONCE: Final = 256
PAIRS_AT_ONCE: Final = 1024
ROUNDING_SLACK: Final = 0.25  # float32 products may miss a distance by this share of the threshold; exact pixels decide


def near_duplicates(thumbnails: np.ndarray) -> list[list[int]]:
    """Sets of two and more indices that pixels connect. ``thumbnails`` is uint8[N, 32, 24, 3]."""
    first = _first_equal(thumbnails)
    unique = np.unique(first)
    links = [_pairs(range(len(first)), first)]
    pixels = thumbnails.reshape(len(thumbnails), math.prod(thumbnails.shape[1:]))
    for pairs in _candidates(_pooled(thumbnails)[unique]):
        candidates = unique[pairs]
        links.append(_spanning(candidates[_are_near(pixels, candidates)]))
    return [members for members in _connected(len(thumbnails), np.concatenate(links)) if len(members) > 1]


def group_rows(ids: Sequence[str], product_names: Sequence[str], alike: Sequence[Sequence[int]]) -> list[str]:
    """The group of each row: the smallest id among those that names and the sets of ``alike`` connect with it.

    It depends on which rows there are, not on their order. Empty names connect nothing.
    """
    first_of: dict[str, int] = {}
    links = [
        (index, first_of.setdefault(name, index))
        for index, name in enumerate(map(normalised_name, product_names))
        if name
    ]
    links += [(member, members[0]) for members in alike for member in members[1:]]
    groups = [""] * len(ids)
    for indices in _connected(len(ids), np.array(links, int).reshape(-1, 2)):
        smallest = min(ids[index] for index in indices)
        for index in indices:
            groups[index] = smallest
    return groups


def normalised_name(name: str) -> str:
    """The name as people would compare it: Unicode compatible forms, case and spacing do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _connected(count: int, links: np.ndarray) -> list[list[int]]:
    """The sets that links int[L, 2] make of 0 … count-1, each in ascending order."""
    labels = _components(count, links)
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order], append=-1)) + 1
    return [part.tolist() for part in np.split(order, ends)[:-1]]


def _components(count: int, links: np.ndarray) -> np.ndarray:
    """int[count]: the connected component of each node."""
    graph = sparse.coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(count, count))
    return csgraph.connected_components(graph, directed=False)[1]


def _spanning(links: np.ndarray) -> np.ndarray:
    """Links int[K, 2], at most one a node, that connect what ``links`` do: n pictures all alike have n² / 2."""
    nodes, positions = np.unique(links, return_inverse=True)
    labels = _components(len(nodes), positions.reshape(-1, 2))
    _, first = np.unique(labels, return_index=True)
    return _pairs(nodes, nodes[first[labels]])


def _first_equal(thumbnails: np.ndarray) -> np.ndarray:
    """int[N]: the index of the first thumbnail that equals each."""
    first_of: dict[bytes, int] = {}
    digests = (hashlib.sha256(thumbnail.tobytes()).digest() for thumbnail in thumbnails)
    return np.array([first_of.setdefault(digest, index) for index, digest in enumerate(digests)], int)


def _pairs(ones: Sequence[int] | np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(ones, int), others], axis=1)


def _candidates(pooled: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs int[M, 2] of pooled thumbnails that may be near, in blocks; every near pair is in one of them."""
    if not len(pooled):
        return
    brightness = pooled.mean(axis=1)
    order = np.argsort(brightness)
    pooled, brightness = pooled[order] - pooled.mean(axis=0), brightness[order]
    norms = np.einsum("ij,ij->i", pooled, pooled)
    limit = NEAR_RMSE**2 * pooled.shape[1] * (1 + ROUNDING_SLACK)
    for start in range(0, len(pooled), ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, len(pooled))
        stop = int(np.searchsorted(brightness, brightness[end - 1] + NEAR_RMSE, side="right"))
        distances = norms[start:end, None] + norms[None, start:stop] - 2 * (pooled[start:end] @ pooled[start:stop].T)
        rows, columns = np.nonzero(distances <= limit)
        later = columns > rows
        yield np.stack([order[rows[later] + start], order[columns[later] + start]], axis=1)


def _pooled(thumbnails: np.ndarray) -> np.ndarray:
    count, height, width, channels = thumbnails.shape
    blocks = thumbnails.reshape(count, height // POOL, POOL, width // POOL, POOL, channels)
    pooled = blocks.mean(axis=(2, 4), dtype=np.float32)
    return pooled.reshape(count, math.prod(pooled.shape[1:]))


def _are_near(pixels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """bool[M]: whether the pixels uint8[N, P] of each pair differ by at most NEAR_RMSE."""
    near = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        some = pairs[start : start + PAIRS_AT_ONCE]
        difference = pixels[some[:, 0]].astype(np.int32) - pixels[some[:, 1]]
        near[start : start + PAIRS_AT_ONCE] = (
            np.einsum("ij,ij->i", difference, difference) <= NEAR_RMSE**2 * pixels.shape[1]
        )
    return near
