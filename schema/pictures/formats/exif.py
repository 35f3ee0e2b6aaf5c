"""The one thing that Exif is asked for: how the picture must be turned.

Exif alone is asked, wherever a format may keep it. An orientation that stands in XMP only is ignored, as browsers do.
"""

import struct
from typing import Final

from schema.pictures.header import UPRIGHT

FIRST_SIDEWAYS: Final = 5
"""Orientations from here on swap width and height."""

_PREFIX: Final = b"Exif\0\0"
_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION: Final = 0x0112
_MAX_ENTRIES: Final = 1000
_VALUES: Final = {1: "B", 3: "H", 4: "I"}  # types of whole numbers that writers use for it


def orientation_of(exif: bytes | None) -> int:
    """The orientation, 1 to 8, in a block of Exif; 1 if there is none or it cannot be read, as viewers do."""
    if not exif:
        return UPRIGHT
    tiff = exif.removeprefix(_PREFIX)
    order = _ORDERS.get(tiff[:4])
    try:
        value = _value(tiff, order) if order else UPRIGHT
    except struct.error:  # an offset points outside
        return UPRIGHT
    return value if value in range(1, 9) else UPRIGHT


def _value(tiff: bytes, order: str) -> int:
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for index in range(min(count, _MAX_ENTRIES)):
        at = start + 2 + 12 * index
        tag, kind = struct.unpack_from(f"{order}HH", tiff, at)
        if tag == _ORIENTATION and kind in _VALUES:
            return int(struct.unpack_from(f"{order}{_VALUES[kind]}", tiff, at + 8)[0])
    return UPRIGHT
