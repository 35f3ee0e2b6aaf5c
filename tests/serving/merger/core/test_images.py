"""The gate for pictures: refuses what is no picture, and never changes what the models see beyond the tolerance."""

import io
import json
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from schema.pictures import normal_form, read_header
from serving.merger.core import errors
from serving.merger.core.images import Picture, Size, decoding_bytes, inspect, prepare
from tests import tiny_models
from tests.pictures.sizes import of_all_sizes
from tests.serving.pictures import encode, photo, with_orientation

SIZE = Size(128, 96)
SMALL = photo(60, 80)
LARGE = photo(900, 1200)


def check(data: bytes, size: Size = SIZE, max_bytes: int = 10**7, max_pixels: int = 10**7) -> Picture:
    return prepare(inspect(data, max_bytes, max_pixels), [size])


def seen(data: bytes, size: Size = SIZE) -> np.ndarray:
    """What a model sees of a file, float[height, width, 3]: two products with triangles, rounded at the end."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)
    down, across = triangles(pixels.shape[0], size.height), triangles(pixels.shape[1], size.width)
    return np.round(across @ np.tensordot(down, pixels, 1))


def triangles(pixels: int, size: int) -> np.ndarray:
    """Weights float[size, pixels], as wide as two pixels of the larger picture of both."""
    centres = (np.arange(size)[:, np.newaxis] + 0.5) * pixels / size
    weights = np.maximum(0, 1 - np.abs(np.arange(pixels) + 0.5 - centres) / max(pixels / size, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def assert_alike(one: np.ndarray, other: np.ndarray) -> None:
    """The tolerance that is promised: a level, in 2 of 1,000 values."""
    difference = np.abs(one - other)
    assert (difference.max() <= 1, (difference > 0).mean() <= 0.002) == (True, True), difference.mean()


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("data", [encode(SMALL, "JPEG"), encode(SMALL, "PNG"), encode(SMALL.convert("L"), "JPEG")])
def test_small_upright_pictures_pass_as_they_are(data: bytes) -> None:
    """What the models can read and what costs little goes to them byte by byte."""
    picture = check(data)
    assert picture.encoded == {SIZE: data} and not picture.reencoded
    assert (picture.width, picture.height, picture.size_bytes) == (60, 80, len(data))


@pytest.mark.parametrize(
    "data",
    [
        encode(LARGE, "PNG"),
        encode(LARGE, "JPEG", quality=90),
        encode(LARGE, "JPEG", progressive=True),
        encode(LARGE.convert("CMYK"), "JPEG"),
        encode(LARGE.convert("L"), "JPEG"),
        encode(LARGE.convert("P"), "PNG"),
        encode(LARGE.convert("RGBA"), "PNG"),
        encode(LARGE, "WEBP", lossless=True),
        encode(photo(3000, 150), "PNG"),
        encode(photo(9000, 7), "PNG"),
        encode(photo(7, 9000), "PNG"),
    ],
    ids=["png", "jpeg", "progressive", "cmyk", "grey", "palette", "alpha", "webp", "wide", "a line", "a column"],
)
def test_reducing_is_not_seen(data: bytes) -> None:
    """A large picture travels small, and the model sees what it would have seen, within the stated tolerance."""
    picture = check(data)
    assert picture.reencoded and len(picture.encoded[SIZE]) < 60_000
    assert Image.open(io.BytesIO(picture.encoded[SIZE])).size == (SIZE.width, SIZE.height)
    assert_alike(seen(picture.encoded[SIZE]), seen(data))


def test_each_model_gets_its_own_size() -> None:
    """Two models that see different sizes each get the picture reduced once, straight from the full one."""
    sizes = [Size(128, 96), Size(160, 120)]
    data = encode(LARGE, "PNG")
    picture = prepare(inspect(data, 10**7, 10**7), sizes)
    for size in sizes:
        assert_alike(seen(picture.bytes_for(size), size), seen(data, size))
    assert picture.bytes_for(Size(5, 5)) in picture.encoded.values()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("image_format", "size"), [("JPEG", (60, 80)), ("PNG", (60, 80)), ("JPEG", (900, 1200))])
def test_turns_upright(orientation: int, image_format: str, size: tuple[int, int]) -> None:
    """EXIF orientation is honoured as in training: the models see the upright picture."""
    data = with_orientation(photo(*size), orientation, image_format)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    picture = check(data)
    assert (picture.width, picture.height) == upright.size
    assert picture.reencoded == (orientation != 1 or size[0] > 60)
    assert_alike(seen(picture.encoded[SIZE]), seen(encode(upright, "PNG")))


def test_a_jpeg_beyond_the_memory_is_decoded_smaller() -> None:
    """It is answered, a little off, where it would be too much for the memory that there is; never where it is not."""
    data = encode(photo(3000, 4000), "JPEG", quality=90)
    inspected, wanted = inspect(data, 10**8, 10**8), seen(data)
    whole = decoding_bytes(inspected, [SIZE])
    for most_bytes in (whole, whole - 1, whole // 2, 0):
        picture = prepare(inspected, [SIZE], most_bytes)
        assert (picture.width, picture.height) == (3000, 4000)
        off = np.abs(seen(picture.encoded[SIZE]) - wanted).mean()
        assert (off > 0.02) == (most_bytes < whole)
        assert off < 0.5
        assert decoding_bytes(inspected, [SIZE], most_bytes) <= (most_bytes or whole // 2)


def test_turning_takes_no_second_copy_of_what_is_large() -> None:
    """A phone's upright photo takes no more memory than the same photo held sideways."""
    costs = {
        orientation: decoding_bytes(inspect(with_orientation(LARGE, orientation), 10**7, 10**7), [SIZE])
        for orientation in (1, 6)
    }
    assert costs[6] == pytest.approx(costs[1], rel=0.01)


def test_broken_exif_is_no_reason_to_refuse() -> None:
    """A phone's broken metadata turns nothing; the pixels are fine."""
    data = encode(SMALL, "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")
    assert not check(data).reencoded


def test_phone_photo_with_more_pictures_behind_it() -> None:
    """An MPO file is a JPEG with, say, a depth map behind it: the photo is the first picture."""
    data = encode(SMALL, "MPO", save_all=True, append_images=[SMALL.convert("L").convert("RGB")])
    assert check(data).format == "JPEG"


JPEG = encode(LARGE, "JPEG")
PNG = encode(LARGE, "PNG")
REFUSED: dict[str, tuple[bytes, type[errors.ImageError]]] = {
    "empty": (b"", errors.ImageMissing),
    "text": (b"hello", errors.ImageUnsupported),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', errors.ImageUnsupported),
    "icon": (encode(SMALL, "ICO"), errors.ImageUnsupported),
    "jpeg cut short": (JPEG[: len(JPEG) // 2], errors.ImageUndecodable),
    "jpeg cut at the very end": (JPEG[:-200], errors.ImageUndecodable),
    "jpeg header only": (JPEG[:20], errors.ImageUndecodable),
    "png cut short": (PNG[: len(PNG) // 2], errors.ImageUndecodable),
    "png without pixels": (png_of(300, 300), errors.ImageUndecodable),
    "webp cut short": (encode(LARGE, "WEBP")[:900], errors.ImageUndecodable),
    "bomb": (png_of(30_000, 30_000), errors.ImageTooManyPixels),
    "bomb that Pillow knows": (png_of(9_000, 9_000), errors.ImageTooManyPixels),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=list(REFUSED))
def test_refuses(data: bytes, error: type[errors.ImageError]) -> None:
    """What is no whole, single picture is refused with a reason of its own."""
    with pytest.raises(error):
        check(data)


@pytest.mark.parametrize(
    ("limits", "error", "words"),
    [
        ({"max_bytes": 100}, errors.ImageTooLarge, "at most 100 are allowed"),
        ({"max_pixels": 4799}, errors.ImageTooManyPixels, "60×80 pixels, at most 4,799"),
    ],
)
def test_limits(limits: dict[str, int], error: type[errors.ImageError], words: str) -> None:
    """The limits hold to the last byte and pixel, and the message says what would be right."""
    data = encode(SMALL, "PNG")
    with pytest.raises(error, match=words):
        check(data, **limits)
    check(data, max_bytes=len(data), max_pixels=4800)


COMPARE = """
import json, sys
from pathlib import Path
import numpy as np
from components.model.preprocessing import decode_image

def seen(path):
    return decode_image(Path(path).read_bytes(), 128, 96).numpy()

found = {}
for name in json.load(sys.stdin):
    difference = np.abs(seen(f"{name}.sent") - seen(f"{name}.file"))
    found[name] = [float((difference > 0).mean()), float(difference.max())]
print(json.dumps(found))
"""


@pytest.mark.skipif(not tiny_models.PIPELINE_PYTHON.exists(), reason="needs the pipeline's environment (TensorFlow)")
def test_reducing_is_not_seen_by_tensorflow(tmp_path: Path) -> None:
    """The same with the models' own decoder and resizing, for each kind of file and size: a level, in 2 of 1,000."""
    paths = {}
    for index, (name, data) in enumerate(of_all_sizes().items()):
        path = tmp_path / str(index)
        path.with_suffix(".file").write_bytes(normal_form(data, read_header(data)).content)
        path.with_suffix(".sent").write_bytes(check(data, max_bytes=10**8, max_pixels=10**8).encoded[SIZE])
        paths[str(path)] = name
    run = subprocess.run(
        [str(tiny_models.PIPELINE_PYTHON), "-c", COMPARE],
        input=json.dumps([*paths]),
        capture_output=True,
        text=True,
        cwd=tiny_models.ROOT,
        check=True,
    )
    found = {paths[path]: off for path, off in json.loads(run.stdout.splitlines()[-1]).items()}
    assert len(found) > 70
    assert {name: off for name, off in found.items() if off[0] > 0.002 or off[1] > 1} == {}
