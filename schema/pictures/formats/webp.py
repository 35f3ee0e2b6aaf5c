"""WebP: the chunks of its RIFF container. Its own library looks at the rest."""

import struct
from collections.abc import Iterator
from typing import Final

from schema.pictures.formats.exif import orientation_of
from schema.pictures.header import Header, broken, cut_short

MAX_CHUNKS: Final = 4096
_SIZED: Final = (b"VP8X", b"VP8 ", b"VP8L")
_FLAGS, _ANIMATED, _TRANSPARENT = 20, 0x02, 0x10
_PIXEL_BYTES: Final = 24  # two canvases, their bytes, the picture, and the same over a background


def read(data: bytes) -> Header:
    """The header of a WebP.

    Raises:
        PictureFault: it is broken, cut short, or has far too many chunks.
    """
    said = int.from_bytes(data[4:8], "little") + 8
    size: tuple[int, int] | None = None
    exif: bytes | None = None
    end = 12
    for kind, payload, behind in _chunks(data, min(said, len(data))):
        end = behind
        if kind in _SIZED and size is None:
            size = _size(kind, bytes(payload[:10]))
        elif kind == b"EXIF" and exif is None:
            exif = bytes(payload)
    if end > len(data):
        raise cut_short(len(data) / max(said, end))
    if end > said:
        raise broken("is a WebP whose parts are longer than it says to be; save it anew")
    if not size:
        raise broken("is a WebP without a picture")
    orientation = orientation_of(exif)
    return Header("WEBP", *size, _PIXEL_BYTES, scan=lambda: _scan(data, end), orientation=orientation)


def _scan(data: bytes, end: int) -> bytes:
    """The file up to its last chunk, with its true length; the last pad byte, which some writers forget, is added.

    An animation is said to have transparency: beside a first frame that is smaller than the picture, it has.
    """
    length, flags = struct.pack("<I", end + end % 2 - 8), data[_FLAGS : _FLAGS + 1]
    if data[12:16] == b"VP8X" and flags[0] & _ANIMATED:
        flags = bytes([flags[0] | _TRANSPARENT])
    return b"".join((data[:4], length, data[8:_FLAGS], flags, data[_FLAGS + 1 : end], bytes(end % 2)))


def _chunks(data: bytes, end: int) -> Iterator[tuple[bytes, memoryview, int]]:
    """Kind, payload and end of each chunk that begins before ``end``; the last may be cut."""
    view, at = memoryview(data), 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], view[at + 8 : min(at + 8 + size, end)], at + 8 + size
        at += 8 + size + size % 2
    raise broken(f"is a WebP of more than {MAX_CHUNKS:,} chunks; save it anew")


def _size(kind: bytes, payload: bytes) -> tuple[int, int]:
    if len(payload) < (5 if kind == b"VP8L" else 10):
        raise broken("is cut short: a WebP that ends before it says its size")
    if kind == b"VP8X":
        return int.from_bytes(payload[4:7], "little") + 1, int.from_bytes(payload[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(payload[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", payload, 6)
    return width & 0x3FFF, height & 0x3FFF
