"""Groups of rows that show the same product: the same name, or (nearly) the same pixels.

Nearness is an RMSE of colour over thumbnails. Averaging blocks of pixels never raises it, so pairs that are far apart
in pooled thumbnails, or in mean brightness, are ruled out exactly: candidates are complete, and only they are compared.
"""

import hashlib
import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

NEAR_RMSE: Final = 4.0  # of 255, over all pixels and channels
POOL: Final = 4  # thumbnail pixels to a pooled pixel, each way
ROWS_AT_ONCE: Final = 256
PAIRS_AT_ONCE: Final = 1024
ROUNDING_SLACK: Final = 0.25  # float32 products may miss a distance by this share of the threshold; exact pixels decide


class UnionFind:
    """Disjoint sets of 0 … count-1."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, item: int) -> int:
        """The representative of the set of ``item``."""
        while self._parent[item] != item:
            self._parent[item] = item = self._parent[self._parent[item]]
        return item

    def join(self, one: int, other: int) -> None:
        """Makes one set of the two."""
        self._parent[self.find(one)] = self.find(other)

    def sets(self) -> list[list[int]]:
        """All sets, each in ascending order."""
        members = defaultdict(list)
        for item in range(len(self._parent)):
            members[self.find(item)].append(item)
        return list(members.values())


def near_duplicates(thumbnails: np.ndarray) -> list[list[int]]:
    """Sets of two and more indices that pixels connect. ``thumbnails`` is uint8[N, 32, 24, 3]."""
    alike = UnionFind(len(thumbnails))
    unique = _join_equal(thumbnails, alike)
    pixels = thumbnails.reshape(len(thumbnails), math.prod(thumbnails.shape[1:]))
    for pairs in _candidates(_pooled(thumbnails)[unique]):
        near = _are_near(pixels, unique[pairs])
        for one, other in unique[pairs[near]]:
            alike.join(one, other)
    return [members for members in alike.sets() if len(members) > 1]


def group_rows(ids: Sequence[str], product_names: Sequence[str], alike: Sequence[Sequence[int]]) -> list[str]:
    """The group of each row: the smallest id among those that names and the sets of ``alike`` connect with it.

    It depends on which rows there are, not on their order. Empty names connect nothing.
    """
    connected = UnionFind(len(ids))
    first_of: dict[str, int] = {}
    for index, name in enumerate(map(normalised_name, product_names)):
        if name:
            connected.join(index, first_of.setdefault(name, index))
    for members in alike:
        for member in members[1:]:
            connected.join(member, members[0])
    groups = [""] * len(ids)
    for indices in connected.sets():
        smallest = min(ids[index] for index in indices)
        for index in indices:
            groups[index] = smallest
    return groups


def normalised_name(name: str) -> str:
    """The name as people would compare it: Unicode compatible forms, case and spacing do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _join_equal(thumbnails: np.ndarray, alike: UnionFind) -> np.ndarray:
    """Joins equal thumbnails; int[U], the index of the first of each kind."""
    first_of: dict[bytes, int] = {}
    for index, thumbnail in enumerate(thumbnails):
        digest = hashlib.sha256(thumbnail.tobytes()).digest()
        alike.join(index, first_of.setdefault(digest, index))
    return np.fromiter(first_of.values(), int, len(first_of))


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
