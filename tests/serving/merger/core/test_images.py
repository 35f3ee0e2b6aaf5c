"""The gate for pictures: refuses what is no picture, and never changes what the models see beyond the tolerance."""

import io
import json
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from serving.merger.core import errors
from serving.merger.core.images import Picture, Size, inspect, prepare
from tests import tiny_models
from tests.serving.pictures import encode, photo, sixteen_bits, with_orientation

SIZE = Size(128, 96)
SMALL = photo(60, 80)
LARGE = photo(900, 1200)


def check(data: bytes, size: Size = SIZE, max_bytes: int = 10**7, max_pixels: int = 10**7) -> Picture:
    return prepare(inspect(data, max_bytes, max_pixels), [size])


def seen(data: bytes, size: Size = SIZE) -> np.ndarray:
    """What a model sees of a file: Pillow's bilinear filter is antialiased like that of the models."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return np.asarray(image.resize((size.width, size.height), Image.Resampling.BILINEAR)).astype(int)


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
    ],
    ids=["png", "jpeg", "progressive", "cmyk", "grey", "palette", "alpha", "webp", "wide"],
)
def test_reducing_is_not_seen(data: bytes) -> None:
    """A large picture travels small, and the model sees what it would have seen, within the stated tolerance."""
    picture = check(data)
    assert picture.reencoded and len(picture.encoded[SIZE]) < 60_000
    assert Image.open(io.BytesIO(picture.encoded[SIZE])).size == (SIZE.width, SIZE.height)
    difference = np.abs(seen(picture.encoded[SIZE]) - seen(data))
    is_jpeg = picture.format == "JPEG"
    assert difference.mean() <= (1 if is_jpeg else 0)
    assert np.quantile(difference, 0.999) <= (4 if is_jpeg else 0)


def test_each_model_gets_its_own_size() -> None:
    """Two models that see different sizes each get the picture reduced once, straight from the full one."""
    sizes = [Size(128, 96), Size(160, 120)]
    data = encode(LARGE, "PNG")
    picture = prepare(inspect(data, 10**7, 10**7), sizes)
    for size in sizes:
        np.testing.assert_array_equal(seen(picture.bytes_for(size), size), seen(data, size))
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
    difference = np.abs(seen(picture.encoded[SIZE]) - seen(encode(upright, "PNG")))
    assert difference.mean() <= 1


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


TENSORFLOW_CASES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: encode(LARGE, "JPEG", quality=90),
    "jpeg huge": lambda: encode(photo(3000, 4000), "JPEG", quality=85),
    "jpeg cmyk": lambda: encode(LARGE.convert("CMYK"), "JPEG"),
    "jpeg grey": lambda: encode(LARGE.convert("L"), "JPEG"),
    "png": lambda: encode(LARGE, "PNG"),
    "png alpha": lambda: encode(LARGE.convert("RGBA"), "PNG"),
    "png palette": lambda: encode(LARGE.convert("P"), "PNG"),
    "png bits": lambda: encode(LARGE.convert("1"), "PNG"),
    "png 16 bit": lambda: encode(sixteen_bits(LARGE), "PNG"),
}
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
    found[name] = [float(difference.mean()), float(np.quantile(difference, 0.999)), float(difference.max())]
print(json.dumps(found))
"""


@pytest.mark.skipif(not tiny_models.PIPELINE_PYTHON.exists(), reason="needs the pipeline's environment (TensorFlow)")
def test_reducing_is_not_seen_by_tensorflow(tmp_path: Path) -> None:
    """The same with the models' own decoder and resizing: 1 level at most for PNG, the stated tolerance for JPEG."""
    paths = []
    for name, make in TENSORFLOW_CASES.items():
        data = make()
        path = tmp_path / name.replace(" ", "_")
        path.with_suffix(".file").write_bytes(data)
        path.with_suffix(".sent").write_bytes(check(data, max_pixels=10**8).encoded[SIZE])
        paths.append(str(path))
    run = subprocess.run(
        [str(tiny_models.PIPELINE_PYTHON), "-c", COMPARE],
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        cwd=tiny_models.ROOT,
        check=True,
    )
    for path, (mean, most, highest) in json.loads(run.stdout.splitlines()[-1]).items():
        if "jpeg" in path:
            assert (mean <= 1, most <= 4) == (True, True), (path, mean, most)
        else:
            assert highest <= 1, (path, highest)
