"""Holds an export to the release that it was made of: the same files to both, and how far their scores are apart."""

import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from components.catalogue.sample import draw_held_out
from pipeline.errors import RunError
from pipeline.scoring import ReleasedModels
from schema.pictures import normal_form, read_header
from schema.products.thumbnails import thumbnails_file

PICTURES: Final = 20

Scores = Callable[[bytes], Mapping[str, np.ndarray]]
"""A picture file → head → P of its labels float32[C], and the familiarity float32[]."""


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        pictures: that both were asked about.
        largest_difference: of any score, or familiarity.
        tolerance: that it had to keep to.
    """

    pictures: int
    largest_difference: float
    tolerance: float


def check(models: ReleasedModels, pictures: Sequence[bytes], scores: Scores, tolerance: float) -> Check:
    """Compares an export with its release; they are to tell the same heads.

    Args:
        models: of the release; they get each file in the normal form, as a server does.
        pictures: files.
        scores: of the export, which decodes the files by itself.
        tolerance: largest difference that is borne.

    Raises:
        RunError: they are further apart.
    """
    served, _ = models.scores([normal_form(file, read_header(file)).content for file in pictures])
    largest, where = 0.0, ""
    for row, file in enumerate(pictures):
        difference, name = _furthest(scores(file), {head: values[row] for head, values in served.items()})
        # Not `>`: a NaN is the largest of all.
        if not difference <= largest:
            largest, where = difference, name
    if not largest <= tolerance:
        raise RunError(
            f"the exported models answer otherwise than release {models.version}: of {len(pictures)} pictures the "
            f"scores of {where} are up to {largest:.2g} apart, and at most {tolerance:g} is borne; nothing was written"
        )
    return Check(len(pictures), largest, tolerance)


def _furthest(found: Mapping[str, np.ndarray], served: Mapping[str, np.ndarray]) -> tuple[float, str]:
    apart = {name: float(np.max(np.abs(found[name] - served[name]))) for name in found.keys() & served.keys()}
    apart |= dict.fromkeys(found.keys() ^ served.keys(), np.nan)  # what one of them alone tells
    return max(((by, name) for name, by in apart.items()), key=lambda one: (np.isnan(one[0]), one[0]))


def check_pictures(releases: Path, version: int) -> list[bytes]:
    """:data:`PICTURES` files: half of them products that the release knows where it has pictures, the rest drawn."""
    known = _known(thumbnails_file(releases, version), PICTURES // 2)
    return known + _drawn(PICTURES - len(known))


def _known(file: Path, count: int) -> list[bytes]:
    if not file.is_file():
        return []
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as store:
        return [image for (image,) in store.execute("SELECT image FROM thumbnails ORDER BY id LIMIT ?", (count,))]


def _drawn(count: int) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        draw_held_out(Path(folder))
        files = sorted(Path(folder, "images").iterdir())
        return [file.read_bytes() for file in files[:count]]
