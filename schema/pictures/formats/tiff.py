"""TIFF: its first directory. What Pillow gets is a directory of those entries that make pixels, and no other."""

import struct
from dataclasses import dataclass
from typing import Final

from schema.pictures.header import UPRIGHT, Header, broken, unsupported

STARTS: Final = {b"II*\0": "<", b"MM\0*": ">"}
MAX_ENTRIES: Final = 512
MAX_VALUES: Final = 200_000  # of one entry: a strip for each row, or tiles
_PIXEL_BYTES: Final = 20
_WIDTH, _HEIGHT, _BITS, _SUBFILE, _ORIENTATION, _OFFSETS, _TILES = 256, 257, 258, 254, 274, 273, 324
_PACKING, _COLOURS, _SAMPLES, _WHITE_IS_0, _YCC = 259, 262, 339, 0, 6
_PACKINGS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34925, 50000)  # that can be unpacked here
_COUNTED: Final = (1, 4)  # kinds of samples that are whole numbers from 0, as is whatever is told to be of no kind
_CR2: Final = b"CR"  # Canon's mark
_DNG: Final = 50706  # in raw files of Adobe's kind
_PIXELS: Final = (
    _WIDTH, _HEIGHT, _BITS, _PACKING, _COLOURS, 266, _OFFSETS, 277, 278, 279, 284, 290, 292, 293, 317, 320, 322, 323,
    _TILES, 325, 332, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532,
)  # fmt: skip
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_NUMBERS: Final = {1: "B", 3: "H", 4: "I"}


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    count: int
    raw: bytes


def read(data: bytes) -> Header:
    """The header of a TIFF's first picture.

    Raises:
        PictureFault: it is broken, cut short, a camera's raw file, or has far too many entries.
    """
    order = STARTS[data[:4]]
    entries = {} if data[8:10] == _CR2 else _entries(data, order)
    if data[8:10] == _CR2 or _DNG in entries:
        raise unsupported("is a camera's raw file; give JPEG or PNG")
    if _number(data, entries.get(_SUBFILE), order, 0) & 1:
        raise unsupported("is a TIFF that begins with a reduced copy, as cameras' raw files do; give JPEG or PNG")
    width, height = (_number(data, entries.get(tag), order, 0) for tag in (_WIDTH, _HEIGHT))
    if not width or not height:
        raise broken(f"is a TIFF of {width}×{height} pixels; it must have some")
    if not {_OFFSETS, _TILES, 513} & set(entries):
        raise broken("is a TIFF without pixels")
    _require_shown({tag: _number(data, entries.get(tag), order, 1) for tag in (_BITS, _PACKING, _COLOURS, _SAMPLES)})
    orientation = _number(data, entries.get(_ORIENTATION), order, UPRIGHT)
    orientation = orientation if orientation in range(1, 9) else UPRIGHT
    return Header("TIFF", width, height, _PIXEL_BYTES, lambda: _scan(data, order, entries), orientation)


def _require_shown(said: dict[int, int]) -> None:
    """Refuses pixels that no decoder has, or that decoders show in more ways than one."""
    if (bits := said[_BITS]) > 16:
        raise unsupported(f"is a TIFF of {bits} bits a sample; give 8 or 16")
    if said[_SAMPLES] not in _COUNTED:
        raise unsupported("is a TIFF of samples below 0, or with fractions; give whole numbers from 0")
    if said[_COLOURS] == _YCC and said[_PACKING] == 1:
        raise unsupported("is a TIFF of unpacked YCbCr, which next to nothing can show; save it as RGB")
    if said[_PACKING] not in _PACKINGS:
        raise unsupported(f"is a TIFF packed in a way ({said[_PACKING]}) that few programs know; save it with LZW")
    if said[_COLOURS] == _WHITE_IS_0 and bits == 16:
        raise unsupported("is a TIFF of 16 bits a sample of which 0 is white; save it with 0 for black")


def _entries(data: bytes, order: str) -> dict[int, _Entry]:
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        if count > MAX_ENTRIES:
            raise broken(f"is a TIFF of {count:,} entries, at most {MAX_ENTRIES} are read; save it anew")
        found = [_entry(data, at, order) for at in range(start + 2, start + 2 + 12 * count, 12)]
    except struct.error:
        raise broken("is cut short: a TIFF without the directory of its picture") from None
    for entry in found:
        if entry.tag in _PIXELS and entry.count > MAX_VALUES:
            raise broken(f"is a TIFF whose entry {entry.tag} has {entry.count:,} values; save it anew")
    return {entry.tag: entry for entry in reversed(found)}


def _entry(data: bytes, at: int, order: str) -> _Entry:
    tag, kind, count = struct.unpack_from(f"{order}HHI", data, at)
    return _Entry(tag, kind, count, data[at : at + 12])


def _number(data: bytes, entry: _Entry | None, order: str, default: int) -> int:
    """The first value of an entry of whole numbers."""
    if entry is None or entry.kind not in _NUMBERS or len(entry.raw) < 12:
        return default
    size = _SIZES[entry.kind] * entry.count
    at = 8 if size <= 4 else 0
    source = entry.raw if at else data
    try:
        offset = at or int(struct.unpack_from(f"{order}I", entry.raw, 8)[0])
        return int(struct.unpack_from(f"{order}{_NUMBERS[entry.kind]}", source, offset)[0])
    except struct.error:
        raise broken(f"is cut short: a TIFF whose entry {entry.tag} lies outside the file") from None


def _scan(data: bytes, order: str, entries: dict[int, _Entry]) -> bytes:
    """The file with another directory in place of its own: one picture, nothing but pixels, no sub-directories."""
    kept = [entries[tag] for tag in _PIXELS if tag in entries]
    directory = struct.pack(f"{order}H", len(kept)) + b"".join(entry.raw for entry in kept) + bytes(4)
    # It has no more entries, so it fits. Behind the end of a file that is cut short it would be read as pixels.
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    return data[:start] + directory + data[start + len(directory) :]
