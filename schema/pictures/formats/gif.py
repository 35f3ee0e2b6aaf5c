"""GIF: its blocks up to the first frame, which is the picture."""

import struct
from typing import Final

from schema.pictures.header import Header, broken

MAX_BLOCKS: Final = 4096  # before the first frame
_EXTENSION, _FRAME, _CONTROL = 0x21, 0x2C, 0xF9
_PIXEL_BYTES: Final = 18


def read(data: bytes) -> Header:
    """The header of a GIF.

    Raises:
        PictureFault: it is broken, cut short, or has far too many blocks.
    """
    if len(data) < 13:
        raise broken("is cut short: a GIF that ends before it says its size")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    start = 13 + _table(flags)
    frame, control = _first_frame(data, start)
    left, top, across, down = struct.unpack_from("<HHHH", data, frame + 1)
    # A frame may be larger than the screen; Pillow makes room for it.
    width, height = max(width, left + across), max(height, top + down)
    if not width or not height:
        raise broken(f"is a GIF of {width}×{height} pixels; it must have some")
    return Header("GIF", width, height, _PIXEL_BYTES, scan=lambda: data[:start] + control + data[frame:])


def _table(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _first_frame(data: bytes, at: int) -> tuple[int, bytes]:
    """Where the first frame begins, and the block that tells its transparent colour."""
    control = b""
    for _ in range(MAX_BLOCKS):
        if at + 10 > len(data):
            raise broken("is cut short at 0 %: a GIF that ends before its pixels")
        if data[at] == _FRAME:
            return at, control
        if data[at] != _EXTENSION:
            raise broken(f"is a broken GIF: no block begins with byte 0x{data[at]:02x}")
        end = _behind(data, at + 2)
        if data[at + 1] == _CONTROL:
            control = data[at:end]
        at = end
    raise broken(f"is a GIF with more than {MAX_BLOCKS:,} blocks before its picture; save it anew")


def _behind(data: bytes, at: int) -> int:
    """Where an extension ends whose first sub-block begins at ``at``."""
    for _ in range(MAX_BLOCKS):
        if at >= len(data):
            break
        if not data[at]:
            return at + 1
        at += 1 + data[at]
    else:
        raise broken(f"is a GIF with more than {MAX_BLOCKS:,} blocks before its picture; save it anew")
    return len(data)
