"""Pictures that models can learn from, and the reasons why others are not taken."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.catalogue.reading.findings import Reason
from components.catalogue.reading.pictures import CheckedRows, check_pictures, load_picture, thumbnails_of
from components.catalogue.reading.rows import parse_rows
from components.catalogue.reading.source import MAX_IMAGE_BYTES, open_catalogue
from tests.drawing import encoded, pixels, product, write_catalogue

ORIENTATION = 0x0112
PICTURE = pixels(7)
JPEG = encoded(PICTURE)
PNG = encoded(PICTURE, "PNG")


def check(directory: Path, images: dict[str, bytes]) -> CheckedRows:
    ids = [str(number) for number in range(4)]
    catalogue = open_catalogue(write_catalogue(directory, [product(one) for one in ids], images))
    return check_pictures(catalogue, parse_rows(catalogue.styles()))


def huge_png() -> bytes:
    """A PNG whose header claims 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (b"", Reason.UNDECODABLE_IMAGE, "is empty"),
        (b"<html>not found</html>", Reason.UNDECODABLE_IMAGE, "is HTML; give JPEG"),
        (JPEG[: len(JPEG) // 2], Reason.UNDECODABLE_IMAGE, "is cut short"),
        (PNG[: len(PNG) // 2], Reason.UNDECODABLE_IMAGE, "is cut short at "),
        (JPEG[:40], Reason.UNDECODABLE_IMAGE, "is cut short"),
        (encoded(PICTURE, "ICO"), Reason.UNSUPPORTED_IMAGE, "is an icon (ICO)"),
        (huge_png(), Reason.IMAGE_TOO_LARGE, "is 60,000×60,000 pixels, at most 50,000,000"),
        (encoded(Image.new("L", (8000, 8000)), "PNG"), Reason.IMAGE_TOO_LARGE, "is 8,000×8,000 pixels"),
        (JPEG + bytes(MAX_IMAGE_BYTES), Reason.IMAGE_TOO_LARGE, "more than"),
    ],
    ids=["empty", "html", "half-jpeg", "half-png", "stub", "ico", "bomb", "pixels", "bytes"],
)
def test_a_bad_picture_is_named_and_its_neighbours_are_taken(
    tmp_path: Path, content: bytes, reason: Reason, words: str
) -> None:
    """One bad picture in a batch costs exactly that row, and the words say what is wrong with the file."""
    checked = check(tmp_path, {"2.jpg": content})
    assert [row.id for row in checked.taken] == ["0", "1", "3"]
    assert [(one.id, one.line, one.reason) for one in checked.rejected] == [("2", 4, reason)]
    assert checked.rejected[0].detail.startswith("images/2.jpg ") and words in checked.rejected[0].detail


def test_pixels_that_break_in_the_middle_are_told_in_words(tmp_path: Path) -> None:
    """What only decoding finds is said as serving says it, not as a graph does."""
    spoilt = bytearray(PNG)
    spoilt[len(PNG) // 2] ^= 0xFF
    (rejected,) = check(tmp_path, {"2.jpg": bytes(spoilt)}).rejected
    assert rejected.detail == "images/2.jpg is damaged: the checksum of the PNG's chunk IDAT at byte 33 is wrong"


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    """A row without a picture is rejected with its id and line."""
    directory = write_catalogue(tmp_path, [product("1"), product("2")])
    (directory / "images" / "2.jpg").unlink()
    catalogue = open_catalogue(directory)
    checked = check_pictures(catalogue, parse_rows(catalogue.styles()))
    assert [(one.id, one.line, one.reason) for one in checked.rejected] == [("2", 3, Reason.MISSING_IMAGE)]


def test_an_id_that_looks_like_a_path_reaches_no_file(tmp_path: Path) -> None:
    """Pictures are looked up in the catalogue's own listing, never by a path made from a cell."""
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    directory = write_catalogue(tmp_path / "catalogue", [product("1")])
    (directory / "styles.csv").write_text((directory / "styles.csv").read_text().replace("\n1,", "\n../../secret,"))
    catalogue = open_catalogue(directory)
    assert check_pictures(catalogue, parse_rows(catalogue.styles())).rejected[0].reason is Reason.MISSING_IMAGE


@pytest.mark.parametrize(
    "content",
    [
        PNG,
        encoded(PICTURE.convert("L")),
        encoded(PICTURE, progressive=True),
        encoded(PICTURE.convert("RGBA"), "PNG"),
        encoded(PICTURE.convert("LA"), "PNG"),
        encoded(PICTURE.convert("P"), "PNG"),
        encoded(PICTURE.convert("L").convert("I;16"), "PNG"),
        encoded(pixels(7, (37, 211))),
        encoded(pixels(7, (1, 1)), "PNG"),
    ],
    ids=["png", "grey", "progressive", "rgba", "la", "palette", "16-bit", "odd-size", "one-pixel"],
)
def test_every_kind_of_jpeg_and_png_that_the_models_decode_is_taken_untouched(tmp_path: Path, content: bytes) -> None:
    """Whatever its colour mode or size, a good picture keeps its pixels; the name's extension does not matter."""
    checked = check(tmp_path, {"2.jpg": content})
    assert len(checked.taken) == 4
    assert load_picture(open_catalogue(tmp_path), "2").content == content
    assert tf.io.decode_image(content, channels=3, expand_animations=False).shape[2] == 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pictures_that_exif_calls_askew_are_stored_upright(tmp_path: Path, orientation: int, kind: str) -> None:
    """The op that decodes for training ignores Exif: what it decodes must be upright already."""
    turns = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    turn = turns[orientation]
    askew = PICTURE if turn is None else PICTURE.transpose(turn)
    content = encoded(askew, kind, exif=exif, **({"quality": 95, "subsampling": 0} if kind == "JPEG" else {}))
    checked = check(tmp_path, {"2.jpg": content})
    stored = load_picture(open_catalogue(tmp_path), "2").content
    decoded = tf.io.decode_image(stored, channels=3, expand_animations=False).numpy()
    assert decoded.shape == (80, 60, 3)
    assert np.abs(decoded.astype(int) - np.asarray(PICTURE)).mean() < 4
    assert [(one.id, one.reason) for one in checked.repaired] == [("2", Reason.TURNED_UPRIGHT)] * (orientation != 1)


def test_broken_exif_is_no_reason_to_lose_a_picture(tmp_path: Path) -> None:
    """Exif is advice; the pixels count."""
    content = encoded(PICTURE, exif=b"Exif\0\0garbage")
    assert len(check(tmp_path, {"2.jpg": content}).taken) == 4


def test_nearly_blank_pictures_are_noticed(tmp_path: Path) -> None:
    """A white picture is taken, for its row says what it is, but a person is told."""
    checked = check(tmp_path, {"2.jpg": encoded(Image.new("RGB", (60, 80), "white"))})
    assert checked.blank == ["2"]
    assert len(checked.taken) == 4


def test_thumbnails_are_means_of_areas() -> None:
    """Nearness is decided on these pixels: each is the mean of what it covers, rounded."""
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 48, 3), dtype=np.uint8))
    (thumbnail,) = thumbnails_of([encoded(image, "PNG")])
    expected = np.asarray(image).reshape(32, 2, 24, 2, 3).mean(axis=(1, 3))
    assert np.abs(np.asarray(thumbnail, float) - expected).max() <= 0.5


def test_a_batch_of_many_is_as_one_by_one() -> None:
    """Order and content hold across batches, with bad pictures among the good."""
    images = [encoded(pixels(seed)) if seed % 100 else b"bad" for seed in range(600)]
    thumbnails = thumbnails_of(images)
    assert [index for index, one in enumerate(thumbnails) if one is None] == list(range(0, 600, 100))
    assert np.array_equal(thumbnails[599], thumbnails_of([images[599]])[0])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_picture_that_is_turned_is_told_of_every_format(tmp_path: Path, kind: str) -> None:
    """AVIF turns by a box of its own, which only its decoder reads: it is turned, and said to be, as all others."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    checked = check(tmp_path, {"2.jpg": encoded(PICTURE, kind, exif=exif)})
    assert [(one.id, one.reason) for one in checked.repaired] == [("2", Reason.TURNED_UPRIGHT)]
    shown = tf.io.decode_image(load_picture(open_catalogue(tmp_path), "2").content)
    assert tuple(shown.shape[:2]) == PICTURE.size
