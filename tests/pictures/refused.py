"""Files that are no pictures, pictures of kinds that are not taken, broken ones, and those that are made to be slow."""

import base64
import struct
import zlib

import numpy as np
from PIL import Image

from schema.pictures import Problem
from tests.pictures.corpus import cut_out, drawn, encoded, with_segment
from tests.pictures.png_writer import START, chunk, png


def noisy(size: tuple[int, int]) -> Image.Image:
    """A picture every part of which takes bytes."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8))


def _boxes(brand: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand) + bytes(100)


def _with_frame(marker: int, precision: int = 8, components: int = 3) -> bytes:
    frame = struct.pack(">BHHB", precision, 80, 60, components) + bytes(3 * components)
    return with_segment(JPEG, marker, frame)


def _spoilt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def _tiff(tag: int, value: int) -> bytes:
    """A TIFF of grey of 16 bits that says something else in one of its entries."""
    deep = Image.fromarray(np.full((80, 60), 9000, np.uint16))
    data = encoded(deep, "TIFF", tiffinfo={339: 1})
    at = data.index(struct.pack("<HHI", tag, 3, 1)) + 8
    return data[:at] + struct.pack("<H", value) + data[at + 2 :]


def _bmp(packing: int) -> bytes:
    data = encoded(drawn(), "BMP")
    return data[:30] + struct.pack("<I", packing) + data[34:]


def _packed(rows: bytes, end: int | None = None) -> bytes:
    """The pixels of a PNG and its end; of what packs them the last bytes are left out."""
    return chunk(b"IDAT", zlib.compress(rows)[:end]) + chunk(b"IEND")


def _bomb(kind: bytes, head: bytes) -> bytes:
    return PNG[:33] + chunk(kind, head + zlib.compress(bytes(1 << 26))) + PNG[33:]


JPEG = encoded(drawn(), "JPEG")
PNG = encoded(drawn(), "PNG")
WEBP = encoded(drawn(), "WEBP")
AVIF = encoded(noisy((60, 80)), "AVIF")
GIF = encoded(drawn().quantize(256), "GIF")
TIFF = encoded(drawn(), "TIFF")
HEIC = _boxes(b"heic")
PALETTE = chunk(b"PLTE", bytes(range(48)))
PALETTED = png(np.zeros((80, 60, 1), np.uint8), 3, 4, palette=PALETTE[8:-4])
NOTHING, OTHER, BROKEN = Problem.NO_PICTURE, Problem.UNSUPPORTED, Problem.BROKEN

REFUSED: dict[str, tuple[bytes, Problem, str]] = {
    "empty": (b"", Problem.EMPTY, "is empty"),
    "html": (b"\n<!DOCTYPE html><html>404", NOTHING, "is HTML"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', NOTHING, "is SVG"),
    "xml": (b"<Error><Code>AccessDenied</Code></Error>", NOTHING, "is XML"),
    "json": (b'{"error": "gone"}', NOTHING, "is JSON"),
    "text": (b"not found\n", NOTHING, "is text"),
    "zeros": (bytes(5000), NOTHING, "is nothing but zero bytes"),
    "noise": (bytes(range(200, 256)) * 9, NOTHING, "starts like no picture; give JPEG"),
    "html behind a comment": (b"<!-- cdn -->\n<!doctype html>", NOTHING, "is HTML"),
    "html without a head": (b"<h1>404</h1>", NOTHING, "is HTML"),
    "html in utf-16": ("<!DOCTYPE html>".encode("utf-16"), NOTHING, "is HTML"),
    "svg of illustrator": (b'<?xml version="1.0"?><!-- A --><!-- B --><!DOCTYPE svg PUBLIC "x" [\n<!ENTITY a "b">\n]>\n'
                           b"<svg/>", NOTHING, "is SVG"),
    "text with umlauts": ("Größe nicht gefunden".encode(), NOTHING, "is text"),
    "text of windows": ("Größe nicht gefunden".encode("cp1252"), NOTHING, "is text"),
    "white space": (b" \n\n", NOTHING, "is nothing but white space"),
    "mov without a brand": (struct.pack(">I4s", 8, b"wide") + bytes(90), OTHER, "is a video (QuickTime)"),
    "targa": (b"\0\0\2" + bytes(40), OTHER, "is a Targa picture"),
    "empty line before": (b"\r\n" + JPEG, OTHER, "is a JPEG behind 2 bytes that are none of it: remove these"),
    "mark before": (b"\xef\xbb\xbf" + PNG, OTHER, "is a PNG behind 3 bytes"),
    "latin-1 as utf-8": (JPEG.decode("latin-1").encode(), OTHER, "was read as text on its way"),
    "read as utf-8": (PNG.decode("utf-8", "replace").encode(), OTHER, "was read as text on its way"),
    "png by ftp as text": (PNG.replace(b"\r\n", b"\n"), OTHER, "is a PNG whose line ends were changed"),
    "pdf": (b"%PDF-1.7\n", OTHER, "is PDF"),
    "photoshop": (b"8BPS\0\1", OTHER, "is a Photoshop document"),
    "icon": (encoded(drawn(), "ICO"), OTHER, "is an icon"),
    "jpeg 2000": (encoded(drawn(), "JPEG2000"), OTHER, "is JPEG 2000"),
    "mp4": (_boxes(b"isom"), OTHER, "is a video"),
    "mov": (_boxes(b"qt  "), OTHER, "is a video"),
    "avi": (b"RIFF\0\0\0\0AVI LIST", OTHER, "is a video (AVI)"),
    "raw": (TIFF[:8] + b"CR\2\0" + TIFF[12:], OTHER, "is a camera's raw file"),
    "zip": (b"PK\3\4" + bytes(30), OTHER, "is a zip"),
    "appledouble": (b"\0\5\x16\7\0\2\0\0Mac OS X", OTHER, "is what macOS notes beside a file"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", OTHER, "is a pointer of Git LFS"),
    "base64": (b"/9j/4AAQSkZJRgABAQ", OTHER, "is a picture in Base64: decode it first"),
    "data url": (b"data:image/png;base64,iVBOR", OTHER, "is a data URL: decode it first"),
    "data url in a text": (b'\xef\xbb\xbf "DATA:image/png;base64,iVBOR', OTHER, "is a data URL: decode it first"),
    "base64 for addresses": (base64.urlsafe_b64encode(JPEG), OTHER, "is a picture in Base64: decode it first"),
    "base64 behind a quote": (b'"' + base64.b64encode(PNG), OTHER, "is a picture in Base64: decode it first"),
    "base64 of a webp": (base64.encodebytes(WEBP), OTHER, "is a picture in Base64: decode it first"),
    "base64 of a gif": (b"\n" + base64.b64encode(GIF), OTHER, "is a picture in Base64: decode it first"),
    "base64 of a bmp": (base64.b64encode(_bmp(0)), OTHER, "is a picture in Base64: decode it first"),
    "base64 of a tiff": (base64.b64encode(TIFF), OTHER, "is a picture in Base64: decode it first"),
    "base64 of an avif": (base64.b64encode(AVIF), OTHER, "is a picture in Base64: decode it first"),
    "webp behind a line": (b"\r\n" + WEBP, OTHER, "is a WebP behind 2 bytes that are none of it: remove these"),
    "gif behind a line": (b"\r\n" + GIF, OTHER, "is a GIF behind 2 bytes"),
    "avif behind a line": (b"\r\n" + AVIF, OTHER, "is an AVIF behind 2 bytes"),
    "jpeg-ls": (_with_frame(0xF7), OTHER, "is a lossless or hierarchical JPEG"),
    "jpeg of a poster": (with_segment(JPEG, 0xC0, struct.pack(">BHHB", 8, 20_000, 30_000, 3) + bytes(9)),
                         Problem.TOO_MANY_PIXELS, "is 30,000×20,000 pixels"),
    "tiff of jpeg 2000": (_tiff(259, 34712), OTHER, "is a TIFF packed in a way (34712) that few programs know"),
    "tiff below 0": (_tiff(339, 2), OTHER, "is a TIFF of samples below 0, or with fractions"),
    "tiff of half floats": (_tiff(339, 3), OTHER, "is a TIFF of samples below 0, or with fractions"),
    "tiff negative": (_tiff(262, 0), OTHER, "is a TIFF of 16 bits a sample of which 0 is white"),
    "bmp of a jpeg": (_bmp(4), OTHER, "is a BMP with a whole JPEG inside"),
    "palette twice": (PALETTED[:33] + PALETTE + PALETTED[33:], BROKEN, "is a PNG whose palette is there twice"),
    "palette behind the pixels": (PALETTED[:33] + PALETTED[33 + len(PALETTE) : -12] + PALETTE + PALETTED[-12:], BROKEN,
                                  "is a PNG whose palette is there twice"),
    "part of a colour": (PALETTED[:33] + chunk(b"PLTE", bytes(49)) + PALETTED[33 + len(PALETTE) :], BROKEN,
                         "is a PNG whose palette is there twice, behind its pixels or in part"),
    "png's size twice": (PNG[:33] + PNG[8:], BROKEN, "is a PNG that says its size twice"),
    "png's long header": (START + chunk(b"IHDR", PNG[16:29] + b"\0\0") + PNG[33:], BROKEN,
                          "is a PNG whose header has 15 bytes, not 13"),
    "twelve bits": (_with_frame(0xC1, precision=12), OTHER, "is a JPEG of 12 bits a sample; give one of 8"),
    "lossless jpeg": (_with_frame(0xC3), OTHER, "is a lossless or hierarchical JPEG"),
    "two colours": (_with_frame(0xC0, components=2), OTHER, "is a JPEG of 2 colours"),
    "apple's png": (START + chunk(b"CgBI", bytes(4)) + PNG[8:], BROKEN, "does not begin with its size"),
    "maker's png": (PNG[:33] + chunk(b"ABCD") + PNG[33:], OTHER, "that only its maker can read"),
    "float tiff": (encoded(Image.new("F", (9, 9)), "TIFF"), OTHER, "is a TIFF of 32 bits a sample"),
    "jpeg start": (JPEG[:20], BROKEN, "is cut short: a JPEG that ends before it says its size"),
    "png start": (PNG[:30], BROKEN, "is cut short"),
    "webp cut": (WEBP[: len(WEBP) // 2], BROKEN, "is cut short at "),
    "gif cut": (GIF[: len(GIF) // 2], BROKEN, "is cut short"),
    "gif start": (GIF[:800], BROKEN, "is cut short"),
    "bmp cut": (encoded(drawn(), "BMP")[:5000], BROKEN, "is cut short"),
    "tiff cut": (TIFF[: len(TIFF) // 2], BROKEN, "is cut short"),
    "wrong checksum": (_spoilt(PNG, len(PNG) - 40), BROKEN, "the checksum of the PNG's chunk IDAT"),
    "too wide": (png(np.zeros((1, 60_000, 1), np.uint8), 0, 8)[:16] + struct.pack(">II", 40_000, 40_000)
                 + PNG[24:29] + bytes(4) + PNG[33:], Problem.TOO_MANY_PIXELS,
                 "is 40,000×40,000 pixels, at most 50,000,000 in all are allowed"),
    "rows lack": (png(np.zeros((40, 60, 3), np.uint8), 2, 8)[:16] + PNG[16:33] + _packed(bytes(181 * 40)), BROKEN,
                  "is cut short at 50 %"),
    "last row lacks": (PNG[:33] + _packed(bytes(181 * 79)), BROKEN, "is cut short at 99 %"),
    "checksum of the pixels": (PNG[:33] + _packed(bytes(181 * 80), -1), BROKEN,
                               "the head or the checksum of its pixels is wrong"),
    "their checksum lost": (PNG[:33] + _packed(bytes(181 * 80), -4), BROKEN,
                            "the head or the checksum of its pixels is wrong"),
    "bytes behind a wrong checksum, rows lack": (
        png(np.zeros((200, 150, 3), np.uint8), 2, 8)[:33]
        + chunk(b"IDAT", zlib.compress(bytes(451 * 180))[:-4] + bytes(20)) + chunk(b"IEND"),
        BROKEN, "is cut short at 90 %"),
    "no palette": (png(np.zeros((8, 8, 1), np.uint8), 3, 8), BROKEN, "is a PNG without the colours"),
    "unknown packing": (START + chunk(b"IHDR", PNG[16:26] + b"\1\0\0") + PNG[33:], BROKEN, "in ways [1, 0, 0]"),
    "unknown filter": (PNG[:33] + _packed(b"\7" + bytes(181 * 80 - 1)), BROKEN, "its pixels cannot be decoded"),
    "avif cut": (AVIF[: len(AVIF) // 2], BROKEN, "is cut short at 50 %"),
    "webp one byte lost": (WEBP[:-1], BROKEN, "is cut short at 99 %"),
    "webp called shorter": (WEBP[:4] + struct.pack("<I", 90) + WEBP[8:], BROKEN, "longer than it says"),
    "no pixels": (START + chunk(b"IHDR", bytes(8) + bytes([8, 2, 0, 0, 0])) + PNG[33:], BROKEN, "0×0 pixels"),
}  # fmt: skip
"""What it is → the file, the kind of the fault and words that must be said of it."""

_SCANS = encoded(drawn((300, 400)), "JPEG", progressive=True)
_FIRST = _SCANS.index(b"\xff\xda")
_SCAN = _SCANS[_FIRST : _SCANS.index(b"\xff", _FIRST + 12)]
HOSTILE: dict[str, bytes] = {
    "fill": JPEG[:2] + b"\xff" * 10_000_000 + JPEG[2:],
    "fill in the pixels": JPEG[:-99] + b"\xff" * 10_000_000 + JPEG[-99:],
    "comments": JPEG[:2] + b"\xff\xfe\0\2" * 500_000 + JPEG[2:],
    "exif × 100,000": JPEG[:2] + b"\xff\xe1\0\x10Exif\0\0MM\0*\0\0\0\x08" * 100_000 + JPEG[2:],
    "scans": _SCANS[:_FIRST] + _SCAN * 3000 + b"\xff\xd9",
    "chunks": PNG[:33] + chunk(b"tEXt", b"a\0b") * 300_000 + PNG[33:],
    "empty pixels": PNG[:33] + chunk(b"IDAT") * 300_000 + PNG[33:],
    "text bomb": _bomb(b"zTXt", b"a\0\0"),
    "profile bomb": _bomb(b"iCCP", b"a\0\0"),
    "gif comments": GIF[:781] + b"\x21\xfe" + b"\1a" * 2_000_000 + b"\0" + GIF[781:],
    "gif extensions": GIF[:781] + b"\x21\xfe\1a\0" * 1_000_000 + GIF[781:],
    "webp chunks": b"RIFF" + struct.pack("<I", len(WEBP) - 8 + 8_000_000) + WEBP[8:] + b"XXXX\0\0\0\0" * 1_000_000,
    "tiff entries": b"II*\0\x08\0\0\0\xff\xff" + bytes(12 * 65535),
    "animation": encoded(Image.fromarray(cut_out()), "PNG", save_all=True, append_images=[drawn()] * 20),
}
