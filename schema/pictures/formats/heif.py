"""HEIC and AVIF: the boxes of their container, as far as the size. Their own libraries do the rest, where installed."""

import importlib.util
import struct
from collections.abc import Iterator
from typing import Final

from PIL import features

from schema.pictures.header import Header, broken, cut_short, unsupported

MAX_BOXES: Final = 4096
AVIF_BRANDS: Final = (b"avif", b"avis")
HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_WHOLE: Final = (b"meta", b"mdat", b"moov")  # without all of these there is no picture
_PIXEL_BYTES: Final = 24


def brands(data: bytes) -> list[bytes]:
    """The brands of a file of boxes, its main one first; none if it is no such file."""
    if data[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(data[:4], "big"), 256, len(data))
    return [data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))]


def read(data: bytes) -> Header:
    """The header of a HEIC or AVIF, which is turned upright by its library.

    Raises:
        PictureFault: it is broken, or nothing that can read it is installed.
    """
    name = "AVIF" if set(brands(data)) & set(AVIF_BRANDS) else "HEIC"
    if name == "AVIF" and not features.check("avif"):
        raise unsupported("is AVIF, which this Pillow cannot read: install a newer one, or give JPEG")
    if name == "HEIC" and importlib.util.find_spec("pillow_heif") is None:
        raise unsupported("is HEIC: install lookbook[heic], or give JPEG")
    ends = [end for box, _, end in _boxes(data, 0, len(data)) if box in _WHOLE]  # of what is cut, behind the data
    if ends and max(ends) > len(data):
        raise cut_short(len(data) / max(ends))
    sizes = [struct.unpack_from(">II", data, at + 4) for at, end in _found(data, b"ispe") if end - at >= 12]
    if not sizes:
        raise broken(f"is cut short: a file of kind {name} that ends before it says its size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header(name, width, height, _PIXEL_BYTES, scan=lambda: data)


def _found(data: bytes, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of what is in each box ``meta/iprp/ipco/<wanted>``."""
    inside = [(0, len(data))]
    for kind, skipped in ((b"meta", 4), (b"iprp", 0), (b"ipco", 0)):
        inside = [(at + skipped, end) for span in inside for name, at, end in _boxes(data, *span) if name == kind][:1]
    for span in inside:
        yield from ((at, end) for name, at, end in _boxes(data, *span) if name == wanted)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        size, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        size = size or end - at  # 0: to the end
        if size < head:
            return
        yield name, at + head, at + size
        at += size
    raise broken(f"is a file of more than {MAX_BOXES:,} boxes; save it anew")
