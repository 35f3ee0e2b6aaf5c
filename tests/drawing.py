"""Catalogues for tests: every picture is drawn, every fault is planted."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from schema import heads as table
from schema import names

HEADER = (names.ID, *table.columns(table.HEADS), names.YEAR, names.PRODUCT_NAME)
TAXONOMY = (("Apparel", "Topwear", "Tshirts"), ("Accessories", "Watches", "Watches"), ("Footwear", "Shoes", "Heels"))


def pixels(seed: int, size: tuple[int, int] = (60, 80)) -> Image.Image:
    """An RGB picture of coarse random patches: two seeds are never alike."""
    patches = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize(size, Image.Resampling.NEAREST)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def retouched(image: Image.Image) -> Image.Image:
    """The same photo as a person would see it: one small mark, and nothing else, is different."""
    copy = image.copy()
    ImageDraw.Draw(copy).rectangle((30, 40, 31, 41), fill=(128, 128, 128))
    return copy


def product(row_id: str, kind: int = 0, **changes: str) -> dict[str, str]:
    """A row of ``styles.csv`` as it should be, but for ``changes``."""
    labels = dict(zip(table.columns(), TAXONOMY[kind % len(TAXONOMY)], strict=True))
    attributes = {
        names.GENDER: "Men",
        names.BASE_COLOUR: "Blue",
        names.SEASON: "Summer",
        names.YEAR: "2012",
        names.USAGE: "Casual",
        names.PRODUCT_NAME: f"Product {row_id}",
    }
    return {names.ID: row_id, **labels, **attributes, **changes}


def csv_text(rows: Iterable[Mapping[str, str]]) -> str:
    """``styles.csv`` of rows that have the same columns."""
    rows = list(rows)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def write_catalogue(
    directory: Path, rows: Iterable[Mapping[str, str]], images: Mapping[str, bytes] | None = None
) -> Path:
    """A catalogue with a picture for every row; ``images`` (file name → bytes) replaces and adds some."""
    rows = list(rows)
    folder = directory / names.IMAGES_DIR
    folder.mkdir(parents=True, exist_ok=True)
    (directory / names.STYLES_CSV).write_text(csv_text(rows), encoding="utf-8")
    for seed, row in enumerate(rows):
        (folder / f"{row[names.ID]}.jpg").write_bytes(encoded(pixels(seed)))
    for name, content in (images or {}).items():
        (folder / name).write_bytes(content)
    return directory


def zipped(directory: Path, archive: Path, prefix: str = "") -> Path:
    """A zip of a catalogue, under a folder ``prefix`` if there is one."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(directory.rglob("*")):
            file.write(path, f"{prefix}{path.relative_to(directory)}")
    return archive
