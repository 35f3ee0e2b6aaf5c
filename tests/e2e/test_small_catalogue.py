"""Catalogues so small that nothing can be promised about them still become a release that answers."""

import csv

import pytest

from components.sample_catalogue import draw_catalogue
from schema import names
from tests.e2e.conftest import Home, read_json

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """30 pictures of two article types, and a third type that has a single row."""
    folder = tmp_path_factory.mktemp("small") / "catalogue"
    draw_catalogue(folder, count=400)
    path = folder / names.STYLES_CSV
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    by_type: dict[str, list[list[str]]] = {}
    for row in rows:
        by_type.setdefault(row[header.index(names.ARTICLE_TYPE_LABEL)], []).append(row)
    first, second, third, *_ = sorted(by_type)
    kept = [*by_type[first][:15], *by_type[second][:14], by_type[third][0]]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *kept])
    ids = {row[header.index(names.ID)] for row in kept}
    for picture in (folder / names.IMAGES_DIR).iterdir():
        if picture.stem not in ids:
            picture.unlink()
    return folder


def test_thirty_pictures_become_a_release(catalogue, tmp_path):
    """Two classes and one with a single row train, pass gates that know what noise is, and are released, by the staged
    recipe in which the category model starts from the other's backbone."""
    home = Home(tmp_path / "root", catalogue)
    home.run("--set", "epochs=2", "--set", "head_epochs=1", "--set", "category_epochs=1", "--set", "ema=0.9")
    card = read_json(home.root / "release" / names.CATEGORY / "1" / "assets.extra" / "card.json")
    assert sum(path["count"] for path in card["taxonomy"]) <= 30
    assert card["training"]["hyperparameters"]["epochs"] == 1
    runs = home.root / "artifacts" / "CategoryTrainer" / "model_run"
    assert len(next(runs.glob("*/metrics.csv")).read_text().splitlines()) == 3  # a header, a head epoch, one of all
