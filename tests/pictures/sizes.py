"""The corpus of sizes: each common kind of file, small and large, of odd sides, for whoever decodes and shrinks."""

from collections.abc import Callable
from typing import Final

from PIL import Image

from tests.pictures.corpus import exif_of
from tests.serving.pictures import encode, photo, sixteen_bits

SIZES: Final = ((61, 83), (301, 401), (997, 333), (901, 1203), (1403, 1001))

KINDS: Final[dict[str, Callable[[Image.Image], bytes]]] = {
    "jpeg": lambda image: encode(image, "JPEG", quality=90),
    "jpeg full colour": lambda image: encode(image, "JPEG", quality=80, subsampling=0),
    "jpeg progressive": lambda image: encode(image, "JPEG", quality=90, progressive=True),
    "jpeg cmyk": lambda image: encode(image.convert("CMYK"), "JPEG"),
    "jpeg grey": lambda image: encode(image.convert("L"), "JPEG"),
    "jpeg turned": lambda image: encode(image, "JPEG", quality=90, exif=b"Exif\0\0" + exif_of(6)),
    "png": lambda image: encode(image, "PNG", compress_level=1),
    "png alpha": lambda image: encode(_half_clear(image), "PNG", compress_level=1),
    "png palette": lambda image: encode(image.convert("P"), "PNG"),
    "png grey": lambda image: encode(image.convert("L"), "PNG", compress_level=1),
    "png 1 bit": lambda image: encode(image.convert("1"), "PNG"),
    "png 16 bit": lambda image: encode(sixteen_bits(image), "PNG", compress_level=1),
    "webp": lambda image: encode(image, "WEBP", quality=90, method=0),
    "webp alpha": lambda image: encode(_half_clear(image), "WEBP", quality=90, method=0),
}


def of_all_sizes() -> dict[str, bytes]:
    """Every kind in every size, and one photo as large as a phone takes."""
    files = {
        f"{kind}, {width}×{height}": make(photo(width, height, seed=width))
        for width, height in SIZES
        for kind, make in KINDS.items()
    }
    return files | {"jpeg, 3000×4000": KINDS["jpeg"](photo(3000, 4000))}


def _half_clear(image: Image.Image) -> Image.Image:
    copy = image.copy()
    copy.putalpha(photo(*image.size, seed=1).convert("L"))
    return copy
