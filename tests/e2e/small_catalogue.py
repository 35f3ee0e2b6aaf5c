"""The smallest catalogue that becomes a release, and the quickest recipe that has every part."""

import csv
from pathlib import Path

from components.catalogue.sample import draw_catalogue
from schema import names

_RECIPE = {
    "backbone": "small_cnn",
    "frozen_to": "",
    "height": 80,
    "width": 60,
    "augmentation.flip": "true",
    "augmentation.zoom": 0.1,
    "epochs": 2,
    "head_epochs": 1,
    "category_epochs": 1,
    "ema": 0.9,
    "mirror": "true",
    "neighbours": 5,
    "neighbour_layers": "",
}
CHOICES = tuple(f"{name}={value}" for name, value in _RECIPE.items())
SETTINGS = ("--trial", *(word for choice in CHOICES for word in ("--set", choice)))


def draw_small_catalogue(folder: Path) -> Path:
    """30 pictures of two article types, and a third type that has a single row."""
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
    _keep_pictures(folder, {row[header.index(names.ID)] for row in kept})
    return folder


def _keep_pictures(folder: Path, ids: set[str]) -> None:
    for picture in (folder / names.IMAGES_DIR).iterdir():
        if picture.stem not in ids:
            picture.unlink()
