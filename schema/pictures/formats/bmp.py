"""BMP: its fixed header."""

import struct
from typing import Final

from schema.pictures.header import Header, broken, unsupported

_PIXEL_BYTES: Final = 18
_HEADS: Final = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes of the headers that there are
_OLDEST: Final = 12  # bytes of OS/2's header, with sizes of 16 bits
_OF_OS2: Final = (12, 16, 64)
_HELD: Final = {4: "JPEG", 5: "PNG"}  # whole files in the place of pixels, for printers


def is_bmp(data: bytes) -> bool:
    """Whether it begins like one: two letters alone are those of many a text."""
    return data[:2] == b"BM" and (data[6:10] == bytes(4) or int.from_bytes(data[14:18], "little") in _HEADS)


def read(data: bytes) -> Header:
    """The header of a BMP.

    Raises:
        PictureFault: it is broken or cut short.
    """
    if len(data) < 26:
        raise broken("is cut short: a BMP that ends before it says its size")
    is_oldest = int.from_bytes(data[14:18], "little") == _OLDEST
    width, height = struct.unpack_from("<HH" if is_oldest else "<ii", data, 18)
    height = abs(height)  # negative: the rows stand from top to bottom
    if width <= 0 or not height:
        raise broken(f"is a BMP of {width}×{height} pixels; it must have some")
    if (held := _HELD.get(_packing(data))) is not None:
        raise unsupported(f"is a BMP with a whole {held} inside, which next to nothing can show; save it as {held}")
    return Header("BMP", width, height, _PIXEL_BYTES, scan=lambda: data)


def _packing(data: bytes) -> int:
    """How the pixels are packed; 0 where OS/2 counts otherwise."""
    is_os2 = int.from_bytes(data[14:18], "little") in _OF_OS2
    return 0 if is_os2 else int.from_bytes(data[30:34], "little")
