"""The picture gate: what is taken, and what is seen of it."""

import io

import numpy as np
import pytest
from PIL import Image

from schema.pictures import normal_form, read_header, to_pixels, upright_size
from tests.pictures.corpus import Taken, taken

TAKEN = taken()


def difference(seen: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(seen.astype(int) - wanted.astype(int)).mean())


@pytest.mark.parametrize("case", TAKEN.values(), ids=list(TAKEN))
def test_what_is_seen(case: Taken) -> None:
    """Every kind of file shows the pixels that were drawn: upright, transparency over white."""
    header = read_header(case.data)
    seen = np.asarray(to_pixels(header).convert("RGB"))
    assert seen.shape == case.shown.shape
    assert upright_size(header) == (case.shown.shape[1], case.shown.shape[0]) or header.format == "AVIF"
    assert difference(seen, case.shown) <= case.tolerance


@pytest.mark.parametrize("case", TAKEN.values(), ids=list(TAKEN))
def test_normal_form(case: Taken) -> None:
    """What the models get is a JPEG or PNG whose pixels, turned and composed by nobody, are those."""
    stored = normal_form(case.data, read_header(case.data))
    with Image.open(io.BytesIO(stored)) as image:
        assert image.format in ("JPEG", "MPO", "PNG")
        upper = image.point(lambda level: level / 256, "L") if image.mode == "I;16" else image
        pixels = np.asarray(upper.convert("RGB"))
    assert pixels.shape == case.shown.shape
    assert difference(pixels, case.shown) <= case.tolerance
    assert normal_form(stored, read_header(stored)) == stored, "the normal form is its own"
