"""Files that a stranger may send instead of a photo."""

import io
import struct
import zlib
from typing import Final

from PIL import Image

from tests.serving.pictures import animated, encode, photo, sixteen_bits, with_orientation

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SCRIPT: Final = b"<script>alert(1)</script>"


def png_bomb(side: int = 30_000) -> bytes:
    """A PNG of side × side black pixels, 900 million by default, in some 100 kB."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _cmyk() -> bytes:
    return encode(photo(60, 80).convert("CMYK"), "JPEG")


def _with_script() -> bytes:
    """A JPEG that a careless browser might take for a page."""
    buffer = io.BytesIO()
    photo(60, 80).save(buffer, "JPEG", comment=_SCRIPT)
    return buffer.getvalue()


JPEG: Final = encode(photo(60, 80), "JPEG")
FILES: Final[dict[str, tuple[bytes, set[int]]]] = {
    "empty": (b"", {400}),
    "one byte": (b"\xff", {415}),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], {422}),
    "JPEG header alone": (JPEG[:20], {415, 422}),
    "truncated PNG": (encode(photo(60, 80), "PNG")[:200], {422}),
    "noise": (bytes(range(256)) * 64, {415}),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg">' + _SCRIPT + b"</svg>", {415}),
    "HTML": (b"<!doctype html>" + _SCRIPT, {415}),
    "PDF": (b"%PDF-1.7\n1 0 obj\n", {415}),
    "TIFF": (encode(photo(60, 80), "TIFF"), {200}),
    "animated GIF": (animated("GIF"), {200}),
    "animated PNG": (animated("PNG"), {200}),
    "animated WebP": (animated("WEBP"), {200}),
    "900-megapixel PNG": (png_bomb(), {422}),
    "JPEG with a ZIP behind it": (JPEG + b"PK\x03\x04" + bytes(1000), {200}),
    "JPEG with a script in it": (_with_script(), {200}),
    "16-bit PNG": (encode(sixteen_bits(photo(60, 80)), "PNG"), {200}),
    "CMYK JPEG": (_cmyk(), {200}),
    "progressive JPEG": (encode(photo(60, 80), "JPEG", progressive=True), {200}),
    "EXIF-rotated JPEG": (with_orientation(photo(80, 60), 6), {200}),
    "1 × 1 PNG": (encode(Image.new("RGB", (1, 1)), "PNG"), {200}),
    "palette PNG with transparency": (encode(photo(60, 80).quantize(), "PNG", transparency=0), {200}),
}
"""What it is → the file, and the statuses that are right for it."""
