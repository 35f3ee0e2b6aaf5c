"""The search for near-duplicates of one worker that has every thumbnail: what the search in cells is held to.

It sorts all pictures by brightness, and compares each with all that are not too bright for it.
"""

import numpy as np

NEAR_RMSE = 4.0
ROWS_AT_ONCE = 256


def near_sets(thumbnails: np.ndarray) -> set[frozenset[int]]:
    """Sets of two and more indices that pixels connect. ``thumbnails`` is uint8[N, 32, 24, 3]."""
    parents = list(range(len(thumbnails)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    first_of: dict[bytes, int] = {}
    for index, thumbnail in enumerate(thumbnails):
        parents[index] = first_of.setdefault(thumbnail.tobytes(), index)
    unique = np.array(sorted(first_of.values()), int)
    for one, other in _near_pairs(thumbnails[unique]):
        parents[root(int(unique[one]))] = root(int(unique[other]))
    sets: dict[int, set[int]] = {}
    for index in range(len(thumbnails)):
        sets.setdefault(root(index), set()).add(index)
    return {frozenset(members) for members in sets.values() if len(members) > 1}


def _near_pairs(thumbnails: np.ndarray):
    pooled = thumbnails.reshape(len(thumbnails), 8, 4, 6, 4, 3).mean(axis=(2, 4)).reshape(len(thumbnails), -1)
    brightness = pooled.mean(axis=1)
    order = np.argsort(brightness)
    pooled, brightness = pooled[order], brightness[order]
    norms = np.einsum("ij,ij->i", pooled, pooled)
    for start in range(0, len(pooled), ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, len(pooled))
        stop = np.searchsorted(brightness, brightness[end - 1] + NEAR_RMSE + 1e-6, side="right")
        distances = norms[start:end, None] + norms[None, start:stop] - 2 * (pooled[start:end] @ pooled[start:stop].T)
        for row, column in np.argwhere(distances <= NEAR_RMSE**2 * pooled.shape[1] + 1e-3):
            one, other = order[start + row], order[start + column]
            if column > row and _rmse(thumbnails[one], thumbnails[other]) <= NEAR_RMSE:
                yield one, other


def _rmse(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((one.astype(np.int32) - other) ** 2)))
