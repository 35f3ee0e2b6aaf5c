"""JPEG: the markers up to the end of the first picture, each looked at once.

An MPO file, as phones write them, is a JPEG with more pictures behind the first, which is the photo. A file is taken if
no pixel is missing, with or without its end marker: see :func:`require_pixels`.
"""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageChops

from schema.pictures.formats.exif import orientation_of
from schema.pictures.header import UPRIGHT, Header, broken, cut_short, unsupported

START: Final = b"\xff\xd8\xff"
END: Final = b"\xff\xd9"
MAX_SEGMENTS: Final = 2000
MAX_FILL: Final = 64  # bytes 0xFF in a row among pixels, where a 0 follows each; elsewhere they mean something
MAX_SCANS: Final = 64  # encoders write some ten
MAX_SCANNED_PIXELS: Final = 500_000_000  # scans × pixels: 50 megapixels in ten scans

_WINDOW: Final = 1 << 18  # bytes searched at a time: other threads get their turn in between
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither a stuffed byte, nor a restart, nor fill
_FILL: Final = re.compile(rb"\xff+")
_SOS, _EOI, _DHT, _JPG, _DAC, _APP0, _APP1, _ADOBE, _COM = 0xDA, 0xD9, 0xC4, 0xC8, 0xCC, 0xE0, 0xE1, 0xEE, 0xFE
_BARE: Final = (0x01, *range(0xD0, 0xD9))  # markers without a segment
_JPEG_LS: Final = 0xF7
_FRAMES: Final = {_JPEG_LS, *range(0xC0, 0xD0)} - {_DHT, _JPG, _DAC}
_HUFFMAN: Final = (0xC0, 0xC1, 0xC2)
_PROGRESSIVE: Final = (0xC2, 0xCA)
_ARITHMETIC: Final = (0xC9, 0xCA)
_GREY_YCC: Final = (1, 3)
_CMYK: Final = 4
_LOOKED_AT_BYTES: Final = 3  # for each pixel: three pictures of half the size
_FILLER: Final = b"".join(b"\x35\xca\x96\x5b" * 64 + bytes([0xFF, 0xD0 + restart % 8]) for restart in range(64))


@dataclass
class _Walk:
    """What the markers told so far; ``kept`` are the stretches of the file that the pixels need."""

    kept: list[tuple[int, int]] = field(default_factory=list)
    frame: int = 0
    precision: int = 0
    width: int = 0
    height: int = 0
    components: int = 0
    exif: bytes | None = None
    scans: int = 0
    is_sharp: dict[tuple[int, bool], bool] = field(default_factory=dict)
    end: int | None = None
    is_tight: bool = True


def read(data: bytes) -> Header:
    """The header of a JPEG.

    Raises:
        PictureFault: it is broken, of a rare kind, or made to be slow.
    """
    walk = _walk(data)
    _check(walk)
    orientation = orientation_of(walk.exif)
    is_plain = walk.frame in _HUFFMAN and walk.components in _GREY_YCC and orientation == UPRIGHT
    is_whole = walk.end is not None
    coefficients = 2 * walk.components if walk.scans > 1 or walk.frame in _PROGRESSIVE else 0
    return Header(
        "JPEG",
        walk.width,
        walk.height,
        pixel_bytes=4 + (4 if walk.components == _CMYK else 0) + coefficients,
        kept_pixel_bytes=coefficients + (_LOOKED_AT_BYTES if walk.frame in _PROGRESSIVE else 0),
        scan=lambda: _scan(data, walk),
        orientation=orientation,
        is_plain=is_plain,
        repairs=() if is_whole else ("its end marker, which was lost, is added",),
    )


def plain(data: bytes) -> bytes:
    """What models get of a JPEG that :attr:`~Header.is_plain`: the file itself, without what follows its end."""
    walk = _walk(data)
    # With junk between segments, or behind the pixels, only what was looked at is known to decode.
    return data[: walk.end] if walk.end and walk.is_tight else _scan(data, walk)


def require_pixels(scan: bytes, is_whole: bool) -> None:
    """Sees to it that all rows are there, whether the file has its end marker or whoever cut it short put one there.

    Libraries show the missing part as grey and say nothing. So it is decoded twice, once with random bytes put where
    the file ends: what differs was not in the file.

    Args:
        scan: of a header.
        is_whole: the file has its end marker.

    Raises:
        PictureFault: rows are missing, from the bottom.
    """
    frame = _walk(scan).frame
    # What an arithmetic coder leaves out at its end are zeros, so that bytes put there do change the picture.
    if is_whole and frame in _ARITHMETIC:
        return
    # A mean of each 8 × 8 is enough, but for the last scans of a progressive JPEG, which do not change it.
    scale = 2 if frame in _PROGRESSIVE else 8
    one, other = (_decoded(data, scale) for data in (scan, scan.removesuffix(END) + _FILLER + END))
    box = ImageChops.difference(one, other).getbbox()
    if box:
        raise cut_short(box[1] / one.height)


def _decoded(data: bytes, scale: int) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.draft(image.mode, (max(image.width // scale, 1), max(image.height // scale, 1)))
        image.load()
        return image


def _walk(data: bytes) -> _Walk:
    walk = _Walk(kept=[(0, 2)])
    behind = 2
    for marker, start, end in _segments(data):
        payload = start + 4
        walk.is_tight, behind = walk.is_tight and start == behind, end
        if marker in _FRAMES and not walk.frame:
            _read_frame(data, marker, payload, end, walk)
        elif marker == _SOS:
            _read_scan(data, payload, end, walk)
        elif marker == _APP1 and walk.exif is None and data[payload : payload + 6] == b"Exif\0\0":
            walk.exif = data[payload:end]
        elif marker == _EOI:
            walk.end = end
        if not _is_metadata(data, marker, payload):
            walk.kept.append((start, end))
    return walk


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of the first picture; the pixels' bytes belong to their scan."""
    at, count = 2, 0
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            at = _next_marker(data, at)
            continue
        at = _fill_end(data, at)
        if at + 2 > len(data):
            return
        count += 1
        if count > MAX_SEGMENTS:
            raise broken(f"is a JPEG of more than {MAX_SEGMENTS:,} segments; save it anew")
        marker, end = data[at + 1], at + 2
        if marker == _EOI:
            yield marker, at, end
            return
        if marker not in _BARE:
            if at + 4 > len(data):
                return
            end += int.from_bytes(data[at + 2 : at + 4], "big")
            if marker == _SOS:
                end = _next_marker(data, end)
            if end > len(data) and marker != _SOS:
                return
        yield marker, at, min(end, len(data))
        at = end


def _fill_end(data: bytes, at: int) -> int:
    """The last 0xFF of those that begin at ``at``: the one that belongs to the marker."""
    found = _FILL.match(data, at)
    return found.end() - 1 if found else at


def _next_marker(data: bytes, at: int) -> int:
    """Where the next marker begins; the end of the data if there is none."""
    for start in range(at, len(data), _WINDOW):
        if found := _MARKER.search(data, start, start + _WINDOW + 1):
            return found.start()
    return len(data)


def _read_frame(data: bytes, marker: int, at: int, end: int, walk: _Walk) -> None:
    if end - at < 6:
        raise broken("is a JPEG whose frame header is too short")
    walk.frame = marker
    walk.precision, walk.height, walk.width, walk.components = struct.unpack_from(">BHHB", data, at)


def _read_scan(data: bytes, at: int, end: int, walk: _Walk) -> None:
    """Counts a scan, and notes which coefficients are complete after it."""
    # An erased disk behind a file without its end does no harm.
    if data.find(b"\xff" * MAX_FILL, at, end if end < len(data) else len(data.rstrip(b"\xff"))) >= 0:
        raise broken(f"is a JPEG with {MAX_FILL:,} or more fill bytes in a row in its pixels; save it anew")
    walk.scans += 1
    count = data[at] if at < end else 0
    last = at + 1 + 2 * count
    if walk.scans > MAX_SCANS:
        raise broken(f"is a JPEG of more than {MAX_SCANS} scans; save it anew, as a baseline JPEG")
    if last + 3 > end:
        return
    first, approximation = data[last], data[last + 2]
    for index in range(count):
        walk.is_sharp[data[at + 1 + 2 * index], first > 0] = approximation & 15 == 0


def _is_metadata(data: bytes, marker: int, payload: int) -> bool:
    """Application segments and comments, but for those that say how colours are stored."""
    if marker == _APP0:
        return data[payload : payload + 5] != b"JFIF\0"
    return marker == _COM or (_APP0 < marker <= 0xEF and marker != _ADOBE)


def _check(walk: _Walk) -> None:
    if not walk.frame:
        raise broken("is cut short: a JPEG that ends before it says its size")
    if walk.frame not in (*_HUFFMAN, *_ARITHMETIC):
        raise unsupported("is a lossless or hierarchical JPEG, which next to nothing can show; save it as usual")
    if walk.precision != 8:
        raise unsupported(f"is a JPEG of {walk.precision} bits a sample; give one of 8")
    if not walk.width or not walk.height:
        raise broken(f"is a JPEG of {walk.width}×{walk.height} pixels; it must have some")
    if walk.components not in (*_GREY_YCC, _CMYK):
        raise unsupported(f"is a JPEG of {walk.components} colours; give grey, colour or CMYK")
    if not walk.scans:
        raise broken("is cut short at 0 %: a JPEG that ends before its pixels")
    if walk.scans > 1 and walk.scans * walk.width * walk.height > MAX_SCANNED_PIXELS:
        raise broken(
            f"is a JPEG of {walk.scans} scans over {walk.width}×{walk.height} pixels, which takes too long to decode; "
            "save it anew, as a baseline JPEG"
        )
    if len({component for component, _ in walk.is_sharp}) < walk.components:
        raise broken(f"is cut short: a JPEG that ends in its scan {walk.scans}, before all of its colours")
    if walk.frame in _PROGRESSIVE and not all(walk.is_sharp.values()):
        raise broken(f"is cut short: a progressive JPEG that ends in its scan {walk.scans}, before it is sharp")


def _scan(data: bytes, walk: _Walk) -> bytes:
    view = memoryview(data)
    scan = b"".join(view[start:end] for start, end in walk.kept)
    return scan if walk.end else _ended(scan)


def _ended(data: bytes) -> bytes:
    """With the end marker that was lost, in the place of half of one and of what an empty disk is filled with."""
    pixels = data.rstrip(b"\0\xff")
    stuffed = data[len(pixels) : len(pixels) + 2] == b"\xff\0"
    return pixels + (b"\xff\0" if stuffed else b"") + END
