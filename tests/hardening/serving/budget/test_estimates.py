"""What decoding a picture is said to take, before any pixel is decoded, is no less than what it takes."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from tests.hardening.promises import Promises
from tests.serving.pictures import encode, photo, sixteen_bits, with_orientation

SIDE: Final = 1_600
SPARE_BYTES: Final = 12e6
"""Of the decoders' own tables, which no picture's size changes, and of the allocator."""
MEASURE: Final = """\
import sys
from PIL import Image
from serving.merger.core import images

def resident(kind):
    return int(next(line for line in open("/proc/self/status") if line.startswith(kind)).split()[1]) * 1024

data = open(sys.argv[1], "rb").read()
Image.init()
inspected = images.inspect(data, 10**9, 10**9)
cost = images.decoding_bytes(inspected, [images.Size(128, 96)])
open("/proc/self/clear_refs", "w").write("5")
before = resident("VmRSS")
images.prepare(inspected, [images.Size(128, 96)])
print(cost, resident("VmHWM") - before)
"""
KINDS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "JPEG": ("JPEG", "RGB", {}),
    "JPEG, progressive 4:4:4": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    "JPEG, CMYK": ("JPEG", "CMYK", {}),
    "PNG": ("PNG", "RGB", {}),
    "PNG, alpha": ("PNG", "RGBA", {}),
    "PNG, palette": ("PNG", "P", {}),
    "PNG, grey of 16 bits": ("PNG", "I;16", {}),
    "PNG, 1 bit": ("PNG", "1", {}),
    "WebP": ("WEBP", "RGB", {"method": 0}),
    "WebP, alpha": ("WEBP", "RGBA", {"method": 0}),
    "WebP, lossless": ("WEBP", "RGB", {"lossless": True, "method": 0}),
    "GIF": ("GIF", "P", {}),
    "BMP": ("BMP", "RGB", {}),
    "TIFF": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
}


def picture(image_format: str, mode: str, options: dict[str, Any]) -> bytes:
    """A picture of that kind; its noise keeps it from being all alike."""
    image = photo(SIDE, SIDE)
    if mode == "RGBA":
        image.putalpha(photo(SIDE, SIDE, seed=1).convert("L"))
        return encode(image, image_format, **options)
    return encode(sixteen_bits(image) if mode == "I;16" else image.convert(mode), image_format, **options)


def measured(file: Path) -> tuple[int, int]:
    """Bytes said, and bytes seen, in a process of its own."""
    command = [sys.executable, "-c", MEASURE, str(file)]
    said, seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(said), int(seen)


@pytest.mark.parametrize("kind", KINDS)
def test_estimate(promise: Promises, tmp_path: Path, kind: str) -> None:
    """The budget holds only as well as the estimate that it is asked with."""
    (tmp_path / "picture").write_bytes(picture(*KINDS[kind]))
    with promise(f"estimate: {kind}", "no less than what decoding takes") as row:
        said, seen = measured(tmp_path / "picture")
        row.seen = f"{said / SIDE**2:.1f} bytes a pixel said, {seen / SIDE**2:.1f} seen"
        assert seen <= said + SPARE_BYTES


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("sides", [(1, 3_000_000), (3_000_000, 1), (3, 2_000_000)], ids=["tall", "wide", "a strip"])
def test_extreme_sides(promise: Promises, tmp_path: Path, mode: str, sides: tuple[int, int]) -> None:
    """Rows and columns cost memory too, which is most of it where they are many and short."""
    (tmp_path / "picture").write_bytes(encode(Image.new(mode, sides), "PNG"))
    with promise(f"estimate: PNG of {sides[0]:,} × {sides[1]:,}, {mode}", "no less than what decoding takes") as row:
        said, seen = measured(tmp_path / "picture")
        row.seen = f"{said / 1e6:.0f} MB said, {seen / 1e6:.0f} seen"
        assert seen <= said + SPARE_BYTES


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_turned(promise: Promises, tmp_path: Path, kind: str) -> None:
    """A large picture is turned upright once it is small, which takes no second copy of it."""
    (tmp_path / "picture").write_bytes(with_orientation(photo(SIDE, SIDE), 6, kind))
    with promise(f"estimate: {kind}, turned", "no less than what decoding takes") as row:
        said, seen = measured(tmp_path / "picture")
        row.seen = f"{said / SIDE**2:.1f} bytes a pixel said, {seen / SIDE**2:.1f} seen"
        assert seen <= said + SPARE_BYTES
