"""PNG: its chunks, each looked at once; only those that make pixels are kept.

Animated PNGs are shown by their still picture. Exif may stand before or behind the pixels, as the specification has it.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from schema.pictures.formats.exif import orientation_of
from schema.pictures.header import UPRIGHT, Header, broken, cut_short, unsupported

START: Final = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS: Final = 8192
_KEPT: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_END: Final = b"\0\0\0\0IEND\xae\x42\x60\x82"
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ALPHA_TYPES: Final = (4, 6)
_DEFLATE, _WIDEST, _DICTIONARY = 8, 7, 0x20  # in the head of zlib's streams, RFC 1950
_HEAD: Final = 13  # bytes
_AT_ONCE: Final = 1 << 16  # bytes unpacked at a time: what comes before damage counts
_PASSES: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_GREY, _PALETTE = 0, 3
_ONE_CLEAR: Final = (0, 2)  # colour types of which tRNS names one colour


@dataclass
class _Walk:
    width: int = 0
    height: int = 0
    depth: int = 0
    colour: int = 0
    is_interlaced: bool = False
    colours: int = 0
    transparency: bytes | None = None
    exif: bytes | None = None
    kept: list[tuple[int, int]] = field(default_factory=list)
    pixels: list[tuple[int, int]] = field(default_factory=list)
    is_cut: bool = True


def read(data: bytes) -> Header:
    """The header of a PNG.

    Raises:
        PictureFault: it is broken, not a PNG that others can read, or has far too many chunks.
    """
    walk = _walk(data)
    orientation = orientation_of(walk.exif)
    has_alpha = walk.colour in _ALPHA_TYPES or walk.transparency is not None
    return Header(
        "PNG",
        walk.width,
        walk.height,
        pixel_bytes=_pixel_bytes(walk) + (12 if has_alpha else 0),
        scan=lambda: _scan(data, walk),
        orientation=orientation,
        is_plain=not has_alpha and orientation == UPRIGHT and not walk.is_cut,
        repairs=("its end, which was lost, is added",) if walk.is_cut else (),
    )


def _pixel_bytes(walk: _Walk) -> int:
    """Of an opaque picture: a palette is looked up into a second copy, grey of 16 bits is cut by way of two more."""
    if walk.colour == _PALETTE:
        return 8
    return 16 if walk.depth == 16 and walk.colour == _GREY else 6


def transparent_colour(scan: bytes) -> int | tuple[int, int, int] | None:
    """The one colour that is transparent, in levels of 0 to 255 (16-bit grey: of 65535); None if there is none.

    Pillow leaves it as it is stored, in samples of the file's own depth, which do not match the decoded pixels.
    """
    walk = _walk(scan)
    if walk.transparency is None or walk.colour not in _ONE_CLEAR:
        return None
    wanted = _SAMPLES[walk.colour]
    samples = struct.unpack_from(f">{wanted}H", walk.transparency)
    if walk.colour == 0:
        return samples[0] if walk.depth == 16 else (samples[0] & (2**walk.depth - 1)) * 255 // (2**walk.depth - 1)
    red, green, blue = ((sample >> 8 if walk.depth == 16 else sample & 255) for sample in samples)
    return red, green, blue


def require_pixels(scan: bytes, is_whole: bool) -> None:
    """Unpacks the pixels, and keeps none: what some decoders show and others do not is refused by all.

    Args:
        scan: of a header.
        is_whole: the file has its end. Of one without, only the pixels must be there, not the checksum behind them.

    Raises:
        PictureFault: pixels are missing or damaged.
    """
    walk = _walk(scan)
    packed, wanted = b"".join(scan[start:end] for start, end in walk.pixels), _unpacked_size(walk)
    found, is_sound = _unpacked(zlib.decompressobj(), packed, wanted)
    if found < wanted or not (is_sound or not is_whole):
        # Without zlib's head and checksum, which may be what is damaged, it tells how much is there.
        found, _ = _unpacked(zlib.decompressobj(-zlib.MAX_WBITS), packed[2:], wanted)
        if found < wanted:
            raise cut_short(found / wanted)
        raise broken("is damaged: the head or the checksum of its pixels is wrong; save it anew")


def _unpacked(unpacker: "zlib._Decompress", packed: bytes, wanted: int) -> tuple[int, bool]:
    """How many bytes there are before the damage or the end, up to ``wanted``; and whether it ends as it should."""
    found = 0
    try:
        while packed and found < wanted and not unpacker.eof:  # behind the end, what is left stays left
            found += len(unpacker.decompress(packed, _AT_ONCE))
            packed = unpacker.unconsumed_tail
        # More than is wanted does no harm; nothing more, and no end either, is a checksum that was lost.
        return found, unpacker.eof or bool(unpacker.decompress(packed, 1))
    except zlib.error:
        return found, False  # what came before it counts


def _walk(data: bytes) -> _Walk:
    walk = _Walk()
    for kind, start, end in _chunks(data):
        if kind == b"IHDR":
            _read_size(data[start + 8 : end - 4], walk)
        elif not walk.kept:
            raise broken("is a PNG that does not begin with its size")
        elif kind == b"tRNS":
            if not _is_transparency(data[start + 8 : end - 4], walk):
                continue  # as if it were not there: so do browsers
            walk.transparency = data[start + 8 : end - 4]
        elif kind == b"eXIf" and walk.exif is None:
            walk.exif = data[start + 8 : end - 4]
        elif kind == b"PLTE":
            if walk.colour != _PALETTE:
                continue  # colours to choose from where there are few, which no decoder here needs
            _read_palette(end - start - 12, walk)
        elif kind == b"IDAT":
            walk.pixels.append((start + 8, end - 4))
        elif kind == b"IEND":
            walk.is_cut = False
        elif kind[:1].isupper() and kind not in _KEPT:
            raise unsupported(f"is a PNG with a chunk {kind!r} that only its maker can read; save it anew")
        if kind in _KEPT:
            walk.kept.append((start, end))
    if not walk.pixels:
        raise broken("is cut short at 0 %: a PNG that ends before its pixels")
    if walk.colour == _PALETTE and not walk.colours:
        raise broken("is a PNG without the colours that its pixels name")
    return walk


def _read_palette(size: int, walk: _Walk) -> None:
    if walk.colours or walk.pixels or size % 3:
        raise broken("is a PNG whose palette is there twice, behind its pixels or in part; save it anew")
    walk.colours = size // 3


def _is_transparency(payload: bytes, walk: _Walk) -> bool:
    """Whether a chunk fits the pixels: one colour that is transparent, or an alpha for some of the palette."""
    if walk.colour == _PALETTE:
        return 0 < len(payload) <= walk.colours
    return walk.colour in _ONE_CLEAR and len(payload) == 2 * _SAMPLES[walk.colour]


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk; the last one may end behind the data, which are cut short then."""
    at, count = len(START), 0
    while at + 8 <= len(data):
        (size,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        count += 1
        if count > MAX_CHUNKS:
            raise broken(f"is a PNG of more than {MAX_CHUNKS:,} chunks; save it anew")
        yield kind, at, at + 12 + size
        if kind == b"IEND":
            return
        at += 12 + size


def _read_size(payload: bytes, walk: _Walk) -> None:
    if walk.kept:
        raise broken("is a PNG that says its size twice; save it anew")
    if len(payload) < _HEAD:
        raise broken("is cut short: a PNG that ends before it says its size")
    if len(payload) > _HEAD:
        raise broken(f"is a PNG whose header has {len(payload):,} bytes, not {_HEAD}; save it anew")
    walk.width, walk.height, walk.depth, walk.colour, *ways = struct.unpack_from(">IIBBBBB", payload)
    if ways[:2] != [0, 0] or ways[2] > 1:
        raise broken(f"is a PNG packed, filtered and interlaced in ways {ways}, which there are not")
    walk.is_interlaced = ways[2] == 1
    if walk.depth not in _DEPTHS.get(walk.colour, ()):
        raise broken(f"is a PNG of colour type {walk.colour} with {walk.depth} bits, which there is not")
    if not walk.width or not walk.height:
        raise broken(f"is a PNG of {walk.width}×{walk.height} pixels; it must have some")


def _unpacked_size(walk: _Walk) -> int:
    bits = walk.depth * _SAMPLES[walk.colour]
    if not walk.is_interlaced:
        return walk.height * (1 + (walk.width * bits + 7) // 8)
    sizes = [
        (-(-max(walk.width - left, 0) // across), -(-max(walk.height - top, 0) // down))
        for left, top, across, down in _PASSES
    ]
    return sum(height * (1 + (width * bits + 7) // 8) for width, height in sizes if width)


def _scan(data: bytes, walk: _Walk) -> bytes:
    """The chunks that make pixels; one that is cut short gets the length and checksum of what is there."""
    view = memoryview(data)
    packed = _with_widest_window(b"".join(view[start:end] for start, end in walk.pixels))
    parts: list[bytes | memoryview] = [START]
    for start, end in walk.kept:
        if end <= len(data) and zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            kind = data[start + 4 : start + 8].decode("latin-1")
            raise broken(f"is damaged: the checksum of the PNG's chunk {kind} at byte {start:,} is wrong")
        if packed and data[start + 4 : start + 8] == b"IDAT":
            parts.append(_chunk(b"IDAT", packed) if start + 8 == walk.pixels[0][0] else b"")
        elif end > len(data):
            parts.append(_chunk(data[start + 4 : start + 8], data[start + 8 :]))
        else:
            parts.append(view[start:end])
    return b"".join([*parts, _END] if walk.is_cut else parts)


def _with_widest_window(packed: bytes) -> bytes:
    """Packed pixels that say how far back they refer → the same, in one piece, that say as far as can be.

    Some tools say less than is true, which one decoder bears and another does not, by the size of its buffers.
    Empty where it says that already, or is no zlib stream.
    """
    head = int.from_bytes(packed[:2], "big")
    if head % 31 or head >> 8 & 15 != _DEFLATE or head >> 12 >= _WIDEST or head & _DICTIONARY:
        return b""
    head = _WIDEST << 12 | _DEFLATE << 8 | head & 0xC0  # of what follows, how hard the packer tried
    return (head + -head % 31).to_bytes(2, "big") + packed[2:]


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
