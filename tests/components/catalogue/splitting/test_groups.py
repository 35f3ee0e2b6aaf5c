"""Rows of one product stay together, exactly and whatever the order."""

import itertools

import numpy as np
import pytest

from components.catalogue.reading.pictures import CheckedRows
from components.catalogue.reading.rows import Row
from components.catalogue.report.report import Leftovers, make_report
from components.catalogue.splitting.groups import Links, kin_of, name_keys, name_links, normalised_name
from components.catalogue.splitting.near import near_duplicates
from components.catalogue.splitting.plan import make_plan
from components.catalogue.splitting.signatures import NEAR_RMSE
from components.catalogue.splitting.splits import SplitBy, split_of_hash
from schema import heads as table
from schema import names

SHAPE = (32, 24, 3)


def random_thumbnails(count: int, seed: int = 0) -> np.ndarray:
    """Pictures on white like a shop's: most pixels are alike, so that many pairs are candidates."""
    rng = np.random.default_rng(seed)
    thumbnails = np.full((count, *SHAPE), 255, np.uint8)
    thumbnails[:, 8:24, 6:18] = rng.integers(0, 256, (count, 1, 1, 3))
    return thumbnails


def noisy(thumbnail: np.ndarray, deviation: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, deviation, thumbnail.shape)
    return np.clip(thumbnail + noise, 0, 255).round().astype(np.uint8)


def rmse(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((one.astype(float) - other) ** 2)))


def brute_force(thumbnails: np.ndarray) -> set[frozenset[int]]:
    """Connected sets, by comparing every pair."""
    sets = [{index} for index in range(len(thumbnails))]
    for one, other in itertools.combinations(range(len(thumbnails)), 2):
        if rmse(thumbnails[one], thumbnails[other]) <= NEAR_RMSE:
            first = next(members for members in sets if one in members)
            second = next(members for members in sets if other in members)
            if first is not second:
                first |= second
                sets.remove(second)
    return {frozenset(members) for members in sets if len(members) > 1}


def group_rows(ids: list[str], product_names: list[str], alike: list[list[int]]) -> list[str]:
    """The group of each row, linked by names and by sets of indices."""
    members = [(number % 7, row_id) for number, row_id in enumerate(ids)]
    pairs = np.array([(one, of[0]) for of in alike for one in of], int).reshape(-1, 2)
    links = [Links.among(members, pairs, by_pixels=True), name_links(name_keys(members, product_names))]
    found = {row_id: kin.group for of in kin_of(links).values() for row_id, kin in of.items()}
    return [found.get(row_id, row_id) for row_id in ids]


@pytest.mark.parametrize("seed", range(3))
def test_no_near_pair_is_missed_and_none_invented(seed: int) -> None:
    """The fast search finds what comparing every pair finds, around the threshold too."""
    base = random_thumbnails(120, seed)
    twins = [noisy(base[index], deviation, index) for index, deviation in enumerate(np.linspace(0, 9, 120))]
    thumbnails = np.concatenate([base, np.stack(twins)])[np.random.default_rng(seed).permutation(240)]
    found = {frozenset(members) for members in near_duplicates(thumbnails)}
    assert found == brute_force(thumbnails)
    assert 20 < len(found) < 120


def test_the_threshold_itself_is_near() -> None:
    """An RMSE of exactly 4 is near, a hair more is not."""
    dark = np.full(SHAPE, 100, np.uint8)
    beyond = np.full(SHAPE, 104, np.uint8)
    beyond[0, 0, 0] = 105
    assert near_duplicates(np.stack([dark, np.full(SHAPE, 104, np.uint8)])) == [[0, 1]]
    assert near_duplicates(np.stack([dark, beyond])) == []


def test_thousands_of_one_picture_are_one_set() -> None:
    """A placeholder under every id must not cost a comparison for each pair of them."""
    thumbnails = np.concatenate([np.zeros((20_000, *SHAPE), np.uint8), random_thumbnails(3)])
    assert max(map(len, near_duplicates(thumbnails))) == 20_000


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare_is_no_error(count: int) -> None:
    """Empty and single catalogues have no duplicates."""
    assert near_duplicates(random_thumbnails(count)) == []


def test_names_are_compared_as_people_do() -> None:
    """Case, spacing and width of letters are no difference; a word is."""
    assert normalised_name("  Nike  MEN Shoe ") == normalised_name("nike men ｓhoe")
    assert normalised_name("Nike Men Shoe") != normalised_name("Nike Men Shoes")


def test_groups_chain_names_and_pixels_and_carry_the_smallest_id() -> None:
    """a–b by name and b–c by pixels is one group; rows without a name are joined by nothing."""
    assert group_rows(["c", "b", "a", "d", "e"], ["x", "X", "y", "", ""], [[1, 2]]) == ["a", "a", "a", "d", "e"]


def test_groups_do_not_depend_on_the_order_of_rows() -> None:
    """Sorting styles.csv moves no row to another group or split."""
    rng = np.random.default_rng(5)
    ids = [str(number) for number in rng.permutation(300)]
    product_names = [f"name {number}" for number in rng.integers(0, 150, 300)]
    thumbnails = random_thumbnails(300)[rng.integers(0, 280, 300)]
    once = dict(zip(ids, group_rows(ids, product_names, near_duplicates(thumbnails)), strict=True))
    order = rng.permutation(300)
    again = group_rows(
        [ids[index] for index in order], [product_names[index] for index in order], near_duplicates(thumbnails[order])
    )
    assert dict(zip([ids[index] for index in order], again, strict=True)) == once
    assert len(set(once.values())) < 280


def test_no_two_rows_with_the_same_name_or_near_pixels_are_in_different_splits() -> None:
    """The proof: every pair of rows in different splits is compared, name and pixels."""
    rng = np.random.default_rng(9)
    base = random_thumbnails(150, 9)
    thumbnails = np.concatenate([base, np.stack([noisy(one, 2.5, seed) for seed, one in enumerate(base[:60])])])
    cells = {label: label for label in table.columns()}
    rows = [
        Row(str(index), index, {**cells, names.PRODUCT_NAME: f"name {rng.integers(0, 160)}"})
        for index in range(len(thumbnails))
    ]
    placed = {int(one.row.id): one for one in make_plan([CheckedRows(rows, thumbnails)]).placed}
    across = [
        (one, other) for one, other in itertools.combinations(range(210), 2) if placed[one].split != placed[other].split
    ]
    assert len(across) > 1000
    for one, other in across:
        assert rows[one].cells[names.PRODUCT_NAME] != rows[other].cells[names.PRODUCT_NAME]
        assert rmse(thumbnails[one], thumbnails[other]) > NEAR_RMSE


def test_splits_are_80_10_10_of_groups_and_never_change() -> None:
    """The hash is a fixed one: a product that was in the test stays there in every process and version."""
    splits = [split_of_hash(str(number)) for number in range(20_000)]
    shares = [splits.count(split) / len(splits) for split in names.SPLITS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    assert [split_of_hash(group) for group in ("1163", "1164", "1178")] == ["eval", "train", "test"]


def splits_of(rows: list[Row], split_by: SplitBy) -> list[str]:
    """The split of each of these rows, whose pictures all are the same."""
    placed = make_plan([CheckedRows(rows, np.zeros((len(rows), *SHAPE), np.uint8))], split_by).placed
    found = {one.row.id: one.split for one in placed}
    return [found[row.id] for row in rows]


def test_splits_by_row_know_no_groups_and_splits_by_year_keep_the_newest_for_the_test() -> None:
    """A random split may put twins on both sides; a split by year tests on what came last, and trains where none is."""
    years = {"old": "2010", "new": "2019", "": ""}
    rows = [
        Row(str(number), number, {names.YEAR: year} if year else {})
        for number, year in enumerate(year for name, year in years.items() for _ in range(80 if name == "old" else 10))
    ]
    by_row = splits_of(rows, SplitBy.ROW)
    assert set(by_row) == set(names.SPLITS)
    assert set(splits_of(rows, SplitBy.GROUP)) == {split_of_hash("0")}
    by_year = splits_of(rows, SplitBy.YEAR)
    assert [by_year[80:90], by_year[90:]] == [[names.TEST] * 10, [names.TRAIN] * 10]
    assert (by_year[:80].count(names.TRAIN), by_year[:80].count(names.EVAL)) == (70, 10)


def test_groups_torn_apart_are_named() -> None:
    """Where a split column decides, its owner is told which groups it tears, and which it does not."""
    of_rows = {"a": ("x", "train"), "b": ("x", "test"), "c": ("y", "train"), "d": ("y", "train")}
    cells = {label: label for label in table.columns()}
    rows = [
        Row(row_id, line, {**cells, names.PRODUCT_NAME: name}, split)
        for line, (row_id, (name, split)) in enumerate(of_rows.items())
    ]
    plan = make_plan([CheckedRows(rows, random_thumbnails(4))])
    report = make_report("a catalogue", "", plan, Leftovers((), ()))
    assert (report.straddling_groups, report.counts["straddling_groups"]) == (("a",), 1)


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_those_of_joining_one_link_after_the_other(seed: int) -> None:
    """On random names and sets, long chains among them, the groups are what merging sets by hand gives."""
    rng = np.random.default_rng(seed)
    ids = [str(number) for number in rng.permutation(80)]
    product_names = ["" if number < 20 else f"name {number}" for number in rng.integers(0, 90, 80)]
    alike = [rng.choice(80, size, replace=False).tolist() for size in rng.integers(2, 5, 15)]
    sets = [{index} for index in range(80)]
    same_name = [[i for i in range(80) if product_names[i] == name] for name in set(product_names) - {""}]
    for members in [*same_name, *alike]:
        touched = [one for one in sets if one & set(members)]
        sets = [one for one in sets if one not in touched] + [set().union(*touched)]
    expected = {index: min(ids[i] for i in one) for one in sets for index in one}
    assert group_rows(ids, product_names, alike) == [expected[index] for index in range(80)]
    assert 5 < len(sets) < 75
