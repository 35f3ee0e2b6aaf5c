"""Files as they come out of broken downloads and hasty tools: the kinds of damage by name, and any other by chance."""

import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from tests.pictures.corpus import SIZE, drawn, encoded, taken
from tests.pictures.png_writer import START, chunk
from tests.pictures.refused import noisy

JPEG_END = b"\xff\xd9"
JPEG_ORDERS = ({}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 0})
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def cut_jpegs(size: tuple[int, int], end: bytes) -> Iterator[tuple[str, bytes]]:
    """JPEGs with their pixels in every order that stop too early, and then ``end``."""
    for order in JPEG_ORDERS:
        data = encoded(noisy(size), "JPEG", quality=90, **order)
        for share in (0.3, 0.6, 0.9):
            yield f"{order} cut at {share}", data[: int(share * len(data))] + end


def png_of_window(size: tuple[int, int], said: int, first: int = 0) -> bytes:
    """A PNG that refers farther back than the power of two it says; ``first`` bytes are in a chunk of their own."""
    rows = np.tile(np.asarray(noisy(size))[:4], (size[1] // 4, 1, 1))
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    head = (said - 8) << 12 | 8 << 8
    packed = (head + -head % 31).to_bytes(2, "big") + packed[2:]
    pixels = b"".join(chunk(b"IDAT", part) for part in (packed[:first], packed[first:]) if part)
    return START + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)) + pixels + chunk(b"IEND")


def whole_and_damaged(size: tuple[int, int]) -> dict[str, bytes]:
    """One picture of every kind, whole and with every kind of damage."""
    files = {kind: encoded(drawn(size), kind) for kind in KINDS}
    cut = {f"{kind} cut": data[: len(data) // 2] for kind, data in files.items()}
    ended = {f"JPEG ended, {name}": data for name, data in cut_jpegs(size, JPEG_END)}
    return files | cut | ended | {"PNG of another window": png_of_window(size, 8)}


def by_chance(count: int) -> Iterator[tuple[str, bytes]]:
    """Files of the corpus with a few bytes changed, lost, put in or doubled; the same each time."""
    chance = random.Random(19)
    files = {name: one.data for name, one in taken().items() if one.shown.shape[1::-1] == SIZE}
    by_kind: dict[str, list[str]] = {}
    for name in files:
        by_kind.setdefault(name.split()[0], []).append(name)
    for number in range(count):
        name = chance.choice(by_kind[chance.choice(list(by_kind))])
        data = files[name]
        for _ in range(chance.choice((1, 1, 2, 8))):
            data = _changed(data, chance)
        yield f"{number}, was {name}", _with_checksums(data) if data.startswith(START) else data


def _changed(data: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(8, chance.choice((200, len(data)))), chance.choice((1, 2, 16))
    there, behind = data[at : at + length], data[at + length :]
    other = bytes(byte ^ 1 << chance.randrange(8) for byte in there)
    return data[:at] + chance.choice((other, b"", chance.randbytes(length) + there, there * 2)) + behind


def _with_checksums(data: bytes) -> bytes:
    """A PNG each chunk of which has a right checksum, so that what is damaged is looked at behind it."""
    at, parts = len(START), [START]
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        parts.append(chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return b"".join(parts)
