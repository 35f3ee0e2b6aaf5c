"""Fuzz target: the gate for pictures. ``python -m tests.hardening.serving.fuzz.fuzz_images -max_total_time=45``."""

import io
import struct
import zlib

if __name__ == "__main__":
    import atheris  # noqa: F401 - before what it is to watch

from tests.hardening.serving.fuzz.fuzzing import fuzz, instrumented, kept

with instrumented(["PIL", "schema.pictures", "serving.merger.core.images"]):
    from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401 - opened by them

    from serving.merger.core.errors import ImageError
    from serving.merger.core.images import Picture, Size, inspect, prepare

from tests.serving.pictures import animated, encode, photo, sixteen_bits, with_orientation

MAX_BYTES, MAX_PIXELS = 2**20, 4_000_000
PNG_START, CHUNK_FRAME = b"\x89PNG\r\n\x1a\n", 12
SIZES = (Size(80, 60), Size(96, 96))


def try_image(data: bytes) -> None:
    """Any file either becomes a picture that a model can read, or is refused by one of the gate's own errors."""
    try:
        picture = prepare(inspect(data, MAX_BYTES, MAX_PIXELS), SIZES)
    except ImageError as refusal:
        assert refusal.detail, "a refusal says why"
        return
    _check(picture, data)


def _check(picture: Picture, data: bytes) -> None:
    assert 0 < picture.width * picture.height <= MAX_PIXELS, "the picture is of a bearable size"
    assert set(picture.encoded) == set(SIZES), "each model gets its file"
    for encoded in set(picture.encoded.values()):
        with Image.open(io.BytesIO(encoded)) as image:
            assert image.format in ("JPEG", "MPO", "PNG"), "a model reads JPEG and PNG"
            image.load()
    ends = 14  # bytes of a PNG's end and checksum, at most, which are added where they were lost
    is_shorter = all(len(encoded) <= len(data) + ends for encoded in picture.encoded.values())
    assert picture.reencoded or is_shorter, "what passes as it is, is at most what came"


def with_checksums(data: bytes) -> bytes:
    """A PNG with the checksum of each chunk put right; a wrong one would end the reading of it there."""
    if not data.startswith(PNG_START):
        return data
    at, mended = len(PNG_START), [PNG_START]
    while at + CHUNK_FRAME <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 8 + size]
        mended += [struct.pack(">I", size), body, struct.pack(">I", zlib.crc32(body))]
        at += CHUNK_FRAME + size
    return b"".join([*mended, data[at:]])


def drawn() -> dict[str, bytes]:
    """A small file of every kind that the gate distinguishes."""
    small = photo(24, 32)
    return {
        **{f"{mode}.png": encode(small.convert(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGBA")},
        **{f"turned.{kind.lower()}": with_orientation(small, 6, kind) for kind in ("JPEG", "PNG", "WEBP")},
        **{f"animated.{kind.lower()}": animated(kind) for kind in ("PNG", "WEBP")},
        "deep.png": encode(sixteen_bits(small), "PNG"),
        "grey.jpeg": encode(small.convert("L"), "JPEG"),
        "cmyk.jpeg": encode(small.convert("CMYK"), "JPEG"),
        "progressive.jpeg": encode(small, "JPEG", progressive=True),
        "large.jpeg": encode(photo(300, 200), "JPEG", quality=20),
        "lossless.webp": encode(small, "WEBP", lossless=True),
        "alpha.webp": encode(small.convert("RGBA"), "WEBP"),
        "still.gif": encode(small.quantize(16), "GIF"),
        "plain.bmp": encode(small, "BMP"),
        "packed.tiff": encode(small, "TIFF", compression="tiff_lzw"),
        "plain.avif": encode(small, "AVIF"),
    }


if __name__ == "__main__":
    fuzz(try_image, drawn() | kept("images"), mend=with_checksums)
