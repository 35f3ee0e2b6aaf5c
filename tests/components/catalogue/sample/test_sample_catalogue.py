"""The drawn catalogue: the same every time, and nothing but shape tells its types apart."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from components.catalogue.report.check import check_catalogue
from components.catalogue.sample import draw_catalogue, draw_held_out
from schema import heads as table
from schema import names

COUNT = 400
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    directory = tmp_path_factory.mktemp("sample")
    return directory, draw_catalogue(directory, COUNT)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    directory = tmp_path_factory.mktemp("held_out")
    return directory, draw_held_out(directory, per_type=4)


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*.*")}


def images(directory: Path, rows: Rows) -> np.ndarray:
    """float32[N, 80, 60, 3] in 0 … 1."""
    paths = [directory / "images" / f"{row[names.ID]}.jpg" for row in rows]
    return np.stack([np.asarray(Image.open(path).convert("RGB"), np.float32) for path in paths]) / 255


def types(rows: Rows) -> list[str]:
    return [row[names.ARTICLE_TYPE_LABEL] for row in rows]


def test_the_same_seed_draws_the_same_files_and_another_does_not(tmp_path: Path) -> None:
    """A run on the sample can be repeated anywhere; other seeds are other catalogues."""
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        draw_catalogue(tmp_path / name, 30, seed)
    assert files(tmp_path / "one") == files(tmp_path / "again")
    pictures = [set(files(tmp_path / name).values()) for name in ("one", "other")]
    assert not pictures[0] & pictures[1]


def test_the_taxonomy_is_wide_enough_and_lopsided(drawn: tuple[Path, Rows]) -> None:
    """Enough types under enough parents to be worth two models, some common and some rare."""
    _, rows = drawn
    counts = [Counter(row[label] for row in rows) for label in table.columns()]
    assert [len(of) >= least for of, least in zip(counts, (3, 6, 12), strict=True)] == [True] * 3
    assert max(counts[-1].values()) > 3 * min(counts[-1].values())


def test_it_is_a_catalogue_without_a_fault(drawn: tuple[Path, Rows]) -> None:
    """The import takes every row, fills every split, and finds some products that were photographed twice."""
    directory, rows = drawn
    report = check_catalogue(directory)
    report.require_usable(max_bad=0)
    assert report.taken == COUNT
    assert not report.repaired
    assert report.near_duplicates == ()
    assert 0.9 * COUNT < report.groups < COUNT
    with (directory / "styles.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == rows


def test_held_out_pictures_are_in_no_catalogue(drawn: tuple[Path, Rows], held_out: tuple[Path, Rows]) -> None:
    """What the served models are asked about, no split has seen: new ids, new pixels, each type alike."""
    directory, rows = drawn
    assert not {row[names.ID] for row in rows} & {row[names.ID] for row in held_out[1]}
    assert Counter(types(held_out[1])) == dict.fromkeys(types(rows), 4)
    known = images(directory, rows).reshape(COUNT, -1)
    for new in images(*held_out).reshape(len(held_out[1]), -1):
        assert np.sqrt(((known - new) ** 2).mean(axis=1)).min() > 4 / 255


def test_colour_alone_tells_little_and_shape_tells_much(drawn: tuple[Path, Rows], held_out: tuple[Path, Rows]) -> None:
    """A model that learned colours would fail on held-out pictures; silhouettes are learnable from few."""
    train, test = images(*drawn), images(*held_out)
    truth, asked = types(drawn[1]), types(held_out[1])
    by_colour = KNeighborsClassifier(3).fit(darkest(train), truth).score(darkest(test), asked)
    by_shape = LogisticRegression(max_iter=300).fit(silhouette(train), truth).score(silhouette(test), asked)
    assert by_colour < 0.35
    assert by_shape > 0.6


def darkest(pictures: np.ndarray) -> np.ndarray:
    """Mean colour of the pixels that are not background."""
    mask = (pictures.min(axis=-1, keepdims=True) < 0.8).astype(np.float32)
    return (pictures * mask).sum(axis=(1, 2)) / np.maximum(mask.sum(axis=(1, 2)), 1)


def silhouette(pictures: np.ndarray) -> np.ndarray:
    """Which pixels are not background, cropped to the product and scaled to 20×20."""
    cropped = []
    for picture in pictures:
        mask = picture.min(axis=-1) < 0.8
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else mask
        cropped.append(
            np.asarray(Image.fromarray(box.astype(np.uint8) * 255).resize((20, 20)), np.float32).ravel() / 255
        )
    return np.stack(cropped)


def test_too_few_pictures_for_every_type_is_said(tmp_path: Path) -> None:
    """A catalogue that cannot hold all types is refused with the number that could."""
    with pytest.raises(ValueError, match="needs at least 18"):
        draw_catalogue(tmp_path, 17)
