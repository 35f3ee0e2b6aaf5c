"""What of a picture travels to those that it may be near, and the cells of a grid in which they meet.

Two thumbnails x and y of P = 32·24·3 values are near if ‖x - y‖ ≤ 4·√P. A signature is made in steps that never raise a
distance, so that what is far apart in signatures is far apart in pixels:

1. Means p of blocks of 4×4 pixels: 16·(mean of d)² ≤ sum of d² (Cauchy-Schwarz), hence ‖p(x) - p(y)‖ ≤ ‖x - y‖ / 4.
2. The orthonormal cosine transform of p keeps lengths, and to keep some of its values alone shortens them. Divided by
   12 = √P / 4 they are c, with ‖c(x) - c(y)‖ ≤ ‖x - y‖ / √P ≤ 4 for near pictures.
3. q is 64·c, rounded: each value of q(x) - q(y) is off by at most 1, hence at most REACH = 4·64 + 1 for near pictures,
   and ‖q(x) - q(y)‖ ≤ 4·64 + √K, K the number of values.

The first four values span the grid, whose cells are WIDTH ≥ REACH wide. In each of the four directions a picture is put
into the cells of q and of q + REACH, which are the same or neighbours. The larger of q(x) and q(y) is, for near
pictures, at least q and at most q + REACH of either: its cell is among those of both, in each direction and so in all
four. So every near pair meets in the cell of its larger values. It is looked at there and nowhere else.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import fft

NEAR_RMSE: Final = 4.0  # of 255, over all pixels and channels
POOL: Final = 4  # thumbnail pixels to a pooled pixel, each way
UNIT: Final = 64  # steps of a value of q in one of 255
REACH: Final = int(NEAR_RMSE) * UNIT + 1
WIDTH: Final = 24 * UNIT  # 1.8 cells a picture of a shop's
DIRECTIONS: Final = 4
VALUES: Final = 32  # K; fewer travel faster, and let more pictures be looked at that are not near
DIGEST_BYTES: Final = 8
BUCKETS: Final = 64

Member = tuple[int, str]
"""A row, wherever it is: the number of its chunk, and its id."""


@dataclass
class Signatures:
    """Pictures as the search for near ones sees them.

    Attributes:
        members: their rows.
        digests: bytes[N, 8]; pictures with the same have the same thumbnail.
        values: int16[N, K]: q of the module's docstring, those that span the grid first.
    """

    members: list[Member]
    digests: np.ndarray
    values: np.ndarray

    def take(self, indices: np.ndarray) -> "Signatures":
        """Some of them."""
        return Signatures([self.members[index] for index in indices], self.digests[indices], self.values[indices])

    @classmethod
    def together(cls, parts: Sequence["Signatures"]) -> "Signatures":
        """All of several as one."""
        return cls(
            [member for part in parts for member in part.members],
            np.concatenate([part.digests for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


def sign(members: list[Member], thumbnails: np.ndarray) -> Signatures:
    """The signatures of thumbnails uint8[N, 32, 24, 3], N ≥ 1."""
    digests = b"".join(hashlib.blake2b(one.tobytes(), digest_size=DIGEST_BYTES).digest() for one in thumbnails)
    transformed = fft.dctn(_pooled(thumbnails), axes=(1, 2, 3), norm="ortho")
    heights, widths, channels = zip(*_kept(transformed.shape[1:]), strict=True)
    side = np.sqrt(np.prod(transformed.shape[1:]))  # 12
    values = np.rint(transformed[:, heights, widths, channels] / side * UNIT).astype(np.int16)
    return Signatures(members, np.frombuffer(digests, f"V{DIGEST_BYTES}"), values)


def cells_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells of values int16[N, K], as int[M, 4], and int[M]: whose they are."""
    spanning = values[:, :DIRECTIONS].astype(np.int32)
    low, high = spanning // WIDTH, (spanning + REACH) // WIDTH
    cells, indices = [], []
    for step in itertools.product((0, 1), repeat=DIRECTIONS):
        reached = np.flatnonzero((low + step <= high).all(axis=1))
        cells.append(low[reached] + step)
        indices.append(reached)
    return np.concatenate(cells), np.concatenate(indices)


def meeting_cells(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """int[M, 4]: the one cell in which each pair of values int16[M, K] is looked at."""
    return np.maximum(ones, others)[:, :DIRECTIONS].astype(np.int32) // WIDTH


def buckets_of(cells: np.ndarray) -> np.ndarray:
    """int[M]: the bucket 0 … BUCKETS - 1 of each cell; as many as that can be worked on at once."""
    return (cells @ np.array([1, 7, 19, 41])) % BUCKETS


def by_bucket(signatures: Signatures) -> dict[int, Signatures]:
    """Bucket → the pictures that have a cell in it, each once."""
    cells, indices = cells_of(signatures.values)
    pairs = np.unique(np.stack([buckets_of(cells), indices], axis=1), axis=0)
    return {int(bucket): signatures.take(pairs[pairs[:, 0] == bucket, 1]) for bucket in np.unique(pairs[:, 0])}


def _kept(shape: Sequence[int]) -> list[tuple[int, int, int]]:
    """Of the cosine transform: the coarse of the grey picture, and the colour of the whole.

    Those go first that differ most between products: how bright it is, how wide, how high, and how large.
    """
    first = [(0, 0, 0), (0, 2, 0), (2, 0, 0), (2, 2, 0)]
    every = [(h, w, c) for h, w, c in itertools.product(*map(range, shape)) if c == 0 or h == w == 0]
    coarse_first = sorted((one for one in every if one not in first), key=lambda one: (sum(one), one))
    return first + coarse_first[: VALUES - len(first)]


def _pooled(thumbnails: np.ndarray) -> np.ndarray:
    """float64[N, 8, 6, 3]: means of blocks."""
    count, height, width, channels = thumbnails.shape
    rows = thumbnails.reshape(count, height // POOL, POOL, width, channels).sum(axis=2, dtype=np.uint16)
    blocks = rows.reshape(count, height // POOL, width // POOL, POOL, channels).sum(axis=3, dtype=np.uint16)
    return blocks / POOL**2
