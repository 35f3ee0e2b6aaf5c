"""The picture gate: what is taken, what is seen of it, and the words for what is not taken."""

import importlib.util
import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from schema.pictures import (
    PictureFault,
    Problem,
    normal_form,
    read_header,
    to_pixels,
    upright_size,
)
from tests.pictures.corpus import Taken, drawn, encoded, exif_of, taken, turned
from tests.pictures.damaged import JPEG_END, png_of_window
from tests.pictures.frames import small_frames
from tests.pictures.png_writer import chunk
from tests.pictures.refused import HEIC, HOSTILE, REFUSED, noisy

TAKEN = taken() | small_frames()


def difference(seen: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(seen.astype(int) - wanted.astype(int)).mean())


@pytest.mark.parametrize("case", TAKEN.values(), ids=list(TAKEN))
def test_what_is_seen(case: Taken) -> None:
    """Every kind of file shows the pixels that were drawn: upright, transparency over white."""
    header = read_header(case.data)
    seen = np.asarray(to_pixels(header).convert("RGB"))
    assert seen.shape == case.shown.shape
    size = upright_size(header.width, header.height, header.orientation)
    assert size == (case.shown.shape[1], case.shown.shape[0]) or header.format == "AVIF"
    assert difference(seen, case.shown) <= case.tolerance


@pytest.mark.parametrize("case", TAKEN.values(), ids=list(TAKEN))
def test_normal_form(case: Taken) -> None:
    """What the models get is a JPEG or PNG whose pixels, turned and composed by nobody, are those."""
    stored = normal_form(case.data, read_header(case.data)).content
    with Image.open(io.BytesIO(stored)) as image:
        assert image.format in ("JPEG", "MPO", "PNG")
        upper = image.point(lambda level: level / 256, "L") if image.mode == "I;16" else image
        pixels = np.asarray(upper.convert("RGB"))
    assert pixels.shape == case.shown.shape
    assert difference(pixels, case.shown) <= case.tolerance
    assert normal_form(stored, read_header(stored)).content == stored, "the normal form is its own"


@pytest.mark.parametrize(("data", "problem", "words"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused_is_named(data: bytes, problem: Problem, words: str) -> None:
    """A refusal says what the file is, or what is wrong with it, and what would be right."""
    with pytest.raises(PictureFault, match=re.escape(words)) as refused:
        to_pixels(read_header(data))
    assert refused.value.problem is problem


def test_heic_names_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a phone sends is named, with the extra that reads it, where that is not installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PictureFault, match=r"is HEIC: install lookbook\[heic\], or give JPEG"):
        read_header(HEIC)


@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_is_shown_where_its_library_is_installed(orientation: int) -> None:
    """What a phone sends is shown upright, and handed on as PNG, once the extra is there."""
    heif = pytest.importorskip("pillow_heif", reason="needs the extra lookbook[heic]")
    heif.register_heif_opener()
    exif = exif_of(orientation)
    data = encoded(turned(drawn(), orientation), "HEIF", quality=95, exif=b"Exif\0\0" + exif)
    header = read_header(data)
    assert header.format == "HEIC"
    with Image.open(io.BytesIO(normal_form(data, header).content)) as stored:
        assert stored.format == "PNG"
        assert difference(np.asarray(stored), np.asarray(drawn())) < 4


@pytest.mark.parametrize("head", [b"<!---->" * 300, b"<!--" * 600, b"<?xml" * 500, b"<!doctype " * 200, b"<" * 2048])
def test_what_a_text_is_is_told_at_once(head: bytes) -> None:
    """No text is made so that the search for its kind takes long."""
    with pytest.raises(PictureFault, match=r"is (text|XML|HTML)"):
        read_header(head + b"z")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("size", [(60, 80), (600, 800)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}], ids=str)
@pytest.mark.parametrize("end", [b"", JPEG_END], ids=["no end", "an end put there"])
def test_a_cut_off_file_is_cut_short(
    kind: str, share: float, size: tuple[int, int], options: dict[str, Any], end: bytes
) -> None:
    """Wherever a file ends too early, it is called cut short, small or large, whatever was put behind it."""
    data = encoded(noisy(size), kind, **({"quality": 90, **options} if kind == "JPEG" else {}))
    with pytest.raises(PictureFault, match="is cut short") as refused:
        normal_form(cut := data[: int(len(data) * share)] + end, read_header(cut))
    assert refused.value.problem is Problem.BROKEN


@pytest.mark.parametrize("kind", ["BMP", "TIFF"])
@pytest.mark.parametrize("missing", [4, 20, 100])
def test_a_file_that_lacks_its_last_pixels_is_cut_short(kind: str, missing: int) -> None:
    """Where a file's last bytes are pixels, nothing else is shown in the place of those that are missing."""
    data = encoded(noisy((90, 70)), kind)[:-missing]
    with pytest.raises(PictureFault, match="is cut short"):
        to_pixels(read_header(data))


@pytest.mark.parametrize("said", range(8, 16))
@pytest.mark.parametrize("first", [0, 1, 2, 500])
def test_a_png_may_refer_farther_back_than_it_says(said: int, first: int) -> None:
    """What one decoder bears and another does not, by the size of its buffers, is mended for both, once."""
    data = png_of_window((600, 80), said, first)
    header = read_header(data)
    stored = normal_form(data, header).content
    assert stored[stored.index(b"IDAT") + 4] == 0x78
    assert normal_form(stored, read_header(stored)).content == stored
    assert np.asarray(to_pixels(header)).std() > 0


def test_a_jpeg_without_one_of_its_colours_is_cut_short() -> None:
    """Where each colour has a scan of its own, a file that ends between two of them lacks the rest."""
    data = encoded(drawn(), "JPEG")
    start = data.index(b"\xff\xda")
    of_one_colour = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    with pytest.raises(PictureFault, match="is cut short: a JPEG that ends in its scan 1, before all of its colours"):
        read_header(data[:start] + of_one_colour + data[start + 14 :])


def test_colours_that_a_png_only_suggests_are_left_out() -> None:
    """A palette that no pixel names is in no decoder's way, however often it is there."""
    whole = encoded(drawn(), "PNG")
    suggested = chunk(b"PLTE", bytes(range(30)))
    assert read_header(whole[:33] + suggested * 2 + whole[33:]).scan() == whole


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_a_header_is_read_in_one_bounded_pass(data: bytes) -> None:
    """What is made to be slow is refused by its header; what stands beside the pixels is never unpacked."""
    try:
        header = read_header(data)
    except PictureFault as fault:
        assert fault.problem is Problem.BROKEN
        return
    assert len(header.scan()) < 20_000


def test_memory_is_told_before_it_is_taken() -> None:
    """A small file that unpacks to much says so, one of many short rows too, and a JPEG that is decoded smaller costs
    less."""
    webp = read_header(encoded(Image.new("RGB", (5000, 5000)), "WEBP"))
    assert webp.decoded_bytes() >= 5000 * 5000 * 12
    jpeg = read_header(encoded(drawn((600, 800)), "JPEG"))
    assert jpeg.decoded_bytes(scale=4) < jpeg.decoded_bytes() / 10
    strip = read_header(encoded(Image.new("L", (1, 1_000_000)), "PNG"))
    assert strip.decoded_bytes() >= 27_000_000
