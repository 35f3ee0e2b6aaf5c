"""What a stranger sends to make the merger pay: small to make, dear to read."""

import io
import json
import struct
import zlib
from functools import cache
from typing import Final

from PIL import Image

from tests import tiny_models
from tests.serving.pictures import encode, photo

RED: Final = tiny_models.picture("red")
MEGABYTE: Final = 2**20
PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


@cache
def flat_webp(side: int = 5_000) -> bytes:
    """A WebP of side × side pixels of one colour: some kilobytes, a hundred megabytes and more when decoded."""
    return encode(Image.new("RGB", (side, side), (200, 30, 30)), "WEBP", quality=1, method=0)


@cache
def flat_jpeg(side: int) -> bytes:
    """A JPEG of side × side pixels of one colour."""
    return encode(Image.new("RGB", (side, side), (200, 30, 30)), "JPEG")


@cache
def flat_png(side: int, mode: str = "RGB") -> bytes:
    """A PNG of side × side pixels of one colour."""
    return encode(Image.new(mode, (side, side)), "PNG")


@cache
def jpeg_with_fill(size: int = 10 * MEGABYTE) -> bytes:
    """A JPEG with fill bytes between two markers, as many as it likes by the standard."""
    data = encode(photo(60, 80), "JPEG")
    return data[:2] + b"\xff" * size + data[2:]


@cache
def jpeg_with_exif(entries: int = 100_000) -> bytes:
    """A JPEG whose Exif directories chain through so many entries, spread over segments of 64 kB."""
    data = encode(photo(60, 80), "JPEG")
    each = 5_000
    entry = struct.pack("<HHII", 0x9000, 3, 1, 1)
    body = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", each) + entry * each + struct.pack("<I", 8)
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 8) + b"Exif\x00\x00" + body
    return data[:2] + segment * (entries // each) + data[2:]


@cache
def png_with_chunks(count: int = 300_000) -> bytes:
    """A PNG with so many empty chunks before its pixels."""
    data = encode(photo(60, 80), "PNG")
    head = len(PNG_SIGNATURE) + 25
    empty = struct.pack(">I", 0) + b"teSt" + struct.pack(">I", zlib.crc32(b"teSt"))
    return data[:head] + empty * count + data[head:]


@cache
def jpeg_with_scans(scans: int = 3_000, side: int = 2_000) -> bytes:
    """A progressive JPEG of side × side pixels with so many scans that change nothing."""
    data = encode(Image.new("L", (side, side), 128), "JPEG", progressive=True, quality=50)
    start = data.rindex(b"\xff\xda")  # the last scan refines; the same again is read again
    last = data[start:-2]
    return data[:-2] + last * scans + b"\xff\xd9"


def empty_items_message(size: int) -> bytes:
    """A ClassifyBatchRequest of so many bytes that is nothing but empty items."""
    return b"\x0a\x00" * (size // 2)


def json_of_items(item: str, size: int) -> bytes:
    """A batch as JSON, of about so many bytes, of nothing but ``item``."""
    return ('{"items":[' + ",".join([item] * (size // (len(item) + 1))) + "]}").encode()


def nested_json(depth: int) -> bytes:
    """JSON with so many brackets, one in the other."""
    return b'{"items":' + b"[" * depth + b"]" * depth + b"}"


def wide_options(keys: int) -> bytes:
    """A batch as JSON whose options have so many keys."""
    return json.dumps({"items": [], "options": {f"k{i}": i for i in range(keys)}}).encode()


def text_png(chunks: int = 60, each: int = 900_000) -> bytes:
    """A PNG with compressed texts that unpack to a thousand times their size."""
    data = encode(photo(60, 80), "PNG")
    head = len(PNG_SIGNATURE) + 25
    body = b"k\x00\x00" + zlib.compress(bytes([97]) * each, 9)
    text = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return data[:head] + text * chunks + data[head:]


def png_with_tail(size: int = 200 * MEGABYTE) -> bytes:
    """A PNG whose packed pixels go on for so many bytes after the last row."""
    data = encode(photo(60, 80), "PNG")
    body = zlib.compress(bytes(size), 9)
    more = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return data[:-12] + more + data[-12:]


def gzip_bomb(size: int = 1024 * MEGABYTE) -> bytes:
    """So many zero bytes of a gRPC message, compressed a thousandfold."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    buffer = io.BytesIO()
    for _ in range(size // MEGABYTE):
        buffer.write(packer.compress(bytes(MEGABYTE)))
    buffer.write(packer.flush())
    return buffer.getvalue()
