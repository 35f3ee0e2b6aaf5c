"""Pictures meet in the cells of a grid: no near pair is missed, whichever bucket of cells is worked on where."""

import os
from pathlib import Path

import numpy as np
import pytest

from components.catalogue.reading.pictures import check_pictures
from components.catalogue.reading.rows import stream_rows
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.groups import Links, kin_of
from components.catalogue.splitting.near import near_duplicates, near_links
from components.catalogue.splitting.signatures import (
    REACH,
    WIDTH,
    Signatures,
    buckets_of,
    by_bucket,
    cells_of,
    meeting_cells,
    sign,
)
from tests.components.catalogue.splitting.sorted_search import near_sets
from tests.components.catalogue.splitting.test_groups import SHAPE, noisy, random_thumbnails

CATALOGUE = Path(os.environ.get("DATASET", "Dataset"))


def crowd(count: int, seed: int) -> np.ndarray:
    """Pictures of few kinds in many variants: chains of near ones, equal ones, and ones just beyond."""
    rng = np.random.default_rng(seed)
    kinds = random_thumbnails(count // 8, seed)
    picked = kinds[rng.integers(0, len(kinds), count)]
    deviations = rng.choice([0.0, 1.0, 2.5, 2.8, 3.0, 5.0], count)
    return np.stack([noisy(picked[index], deviation, index) for index, deviation in enumerate(deviations)])


def in_buckets(thumbnails: np.ndarray) -> set[frozenset[str]]:
    """The near sets, found bucket by bucket from signatures that were made in chunks, as the import does."""
    chunks = [
        sign([(start, str(index)) for index in range(start, min(start + 100, len(thumbnails)))], part)
        for start in range(0, len(thumbnails), 100)
        if len(part := thumbnails[start : start + 100])
    ]
    parts: dict[int, list[Signatures]] = {}
    for chunk in chunks:
        for bucket, some in by_bucket(chunk).items():
            parts.setdefault(bucket, []).append(some)
    links = []
    for bucket, of in parts.items():
        signatures = Signatures.together(of)
        ids = np.array([int(row_id) for _, row_id in signatures.members])
        pairs = near_links(signatures, lambda some, ids=ids: thumbnails[ids[some]], bucket)
        links.append(Links.among(signatures.members, pairs, by_pixels=True))
    sets: dict[str, set[str]] = {}
    for kin in kin_of(links).values():
        for row_id, own in kin.items():
            sets.setdefault(own.alike, set()).add(row_id)
    return {frozenset(members) for members in sets.values()}


def as_ids(sets: set[frozenset[int]]) -> set[frozenset[str]]:
    return {frozenset(map(str, members)) for members in sets}


@pytest.mark.parametrize("seed", range(3))
def test_cells_give_the_sets_of_a_search_through_all(seed: int) -> None:
    """On drawn pictures the old search, the search in cells and that in buckets of cells agree."""
    thumbnails = crowd(1200, seed)
    expected = near_sets(thumbnails)
    assert {frozenset(members) for members in near_duplicates(thumbnails)} == expected
    assert in_buckets(thumbnails) == as_ids(expected)
    assert 50 < len(expected) < 400


def test_cells_give_the_sets_of_a_search_through_all_of_a_real_catalogue() -> None:
    """The same on the pictures of a shop, where most are on white and many are nearly alike."""
    if not CATALOGUE.exists():
        pytest.skip(f"no catalogue at {CATALOGUE}; name one by the variable DATASET")
    catalogue = open_catalogue(CATALOGUE)
    chunks = stream_rows(catalogue).chunks(512)
    thumbnails = np.concatenate([check_pictures(catalogue, rows).thumbnails for rows in chunks])
    expected = near_sets(thumbnails)
    assert expected
    assert in_buckets(thumbnails) == as_ids(expected)


def test_near_pictures_meet_once_wherever_the_walls_of_the_cells_are() -> None:
    """Of any two points that are no further apart than near pictures can be, both are put into one cell, and one bucket
    has it."""
    rng = np.random.default_rng(4)
    for _ in range(2000):
        wall = rng.integers(-8, 8, 4) * WIDTH
        one = (wall + rng.integers(-REACH, REACH + 1, 4)).astype(np.int16)
        other = (one + rng.integers(-REACH, REACH + 1, 4)).astype(np.int16)
        meeting = meeting_cells(one[None], other[None])[0]
        for values in (one, other):
            cells, _ = cells_of(values[None])
            assert sum((cell == meeting).all() for cell in cells) == 1
            assert len({tuple(cell) for cell in cells}) == len(cells)
        bucket = int(buckets_of(meeting[None])[0])
        made = Signatures([(0, "one"), (0, "other")], np.frombuffer(bytes(range(32)), "V16"), np.stack([one, other]))
        assert [row_id for _, row_id in by_bucket(made)[bucket].members] == ["one", "other"]


def test_signatures_never_part_what_pixels_bring_together() -> None:
    """The bound of the docstring, on the pairs that strain it: flat steps, which pooling does not shrink, and noise."""
    rng = np.random.default_rng(6)
    base = rng.integers(4, 252, (300, *SHAPE)).astype(np.uint8)
    flat = (base + rng.choice([-4, 4], (300, 1, 1, 1))).astype(np.uint8)
    signs = rng.choice([-4, 4], (300, 8, 6, 3)).repeat(4, axis=1).repeat(4, axis=2)
    blocks = (base + signs).astype(np.uint8)
    for other in (flat, blocks):
        members = [(0, str(index)) for index in range(300)]
        ones, others = sign(members, base).values.astype(int), sign(members, other).values.astype(int)
        assert np.abs(ones - others).max() <= REACH
        assert np.sqrt(((ones - others) ** 2).sum(axis=1)).max() <= REACH - 1 + np.sqrt(ones.shape[1])
    assert (np.abs(sign(members, base).values - sign(members, flat).values.astype(int))[:, 0] >= REACH - 2).all()
