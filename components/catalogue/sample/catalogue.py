"""Writes drawn catalogues in the layout that Lookbook reads: ``styles.csv`` and ``images/<id>.jpg``."""

import csv
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from components.catalogue.sample.photo import photograph
from components.catalogue.sample.products import KINDS, Kind, Product, invent
from schema import names

COLUMNS = (
    names.ID,
    names.GENDER,
    names.MASTER_CATEGORY_LABEL,
    names.SUB_CATEGORY_LABEL,
    names.ARTICLE_TYPE_LABEL,
    names.BASE_COLOUR,
    names.SEASON,
    names.YEAR,
    names.USAGE,
    names.PRODUCT_NAME,
)
FIRST_ID = 10_001
FIRST_HELD_OUT_ID = 90_001
SECOND_VIEW_SHARE = 0.05
# The first number of a picture's seed: catalogue and held-out pictures never draw from one stream, whatever the seed.
_CATALOGUE, _HELD_OUT = 1, 2


def draw_catalogue(directory: Path, count: int = 600, seed: int = 7) -> list[dict[str, str]]:
    """Draws ``count`` pictures of 18 article types, common and rare ones, and returns the rows of ``styles.csv``.

    The same count and seed give the same bytes. One picture in twenty is a second view of the product before it.

    Raises:
        ValueError: ``count`` is less than the number of article types.
    """
    if count < len(KINDS):
        raise ValueError(f"count is {count}; a catalogue of every article type needs at least {len(KINDS)} pictures")
    rng = np.random.default_rng([_CATALOGUE, seed])
    kinds = [KINDS[index] for index in rng.permutation(_apportioned(count))]
    return _write(directory, kinds, [_CATALOGUE, seed], FIRST_ID, SECOND_VIEW_SHARE)


def draw_held_out(directory: Path, per_type: int = 2, seed: int = 7) -> list[dict[str, str]]:
    """Draws ``per_type`` pictures of each article type that are in no catalogue, and returns their true rows."""
    return _write(
        directory, [kind for kind in KINDS for _ in range(per_type)], [_HELD_OUT, seed], FIRST_HELD_OUT_ID, 0.0
    )


def _apportioned(count: int) -> list[int]:
    """Indices into KINDS, ``count`` in all, as often as the weights say and each at least once."""
    edges = list(accumulate((kind.weight for kind in KINDS), initial=0))
    spare = count - len(KINDS)
    shares = [1 + spare * high // edges[-1] - spare * low // edges[-1] for low, high in pairwise(edges)]
    return [index for index, share in enumerate(shares) for _ in range(share)]


def _write(
    directory: Path, kinds: Sequence[Kind], seed: list[int], first_id: int, second_views: float
) -> list[dict[str, str]]:
    images = directory / names.IMAGES_DIR
    images.mkdir(parents=True, exist_ok=True)
    rows = []
    latest: dict[Kind, Product] = {}
    for index, kind in enumerate(kinds):
        rng = np.random.default_rng([*seed, index])
        again = rng.random() < second_views and kind in latest
        product = latest[kind] = latest[kind] if again else invent(kind, rng)
        row = {names.ID: str(first_id + index), **product.columns}
        (images / f"{row[names.ID]}.jpg").write_bytes(photograph(kind, product.body, product.trim, rng))
        rows.append(row)
    _write_csv(directory / names.STYLES_CSV, rows)
    return rows


def _write_csv(path: Path, rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
