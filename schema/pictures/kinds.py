"""What a file is, by its first bytes. The name of a file and what a sender says of it count for nothing."""

import re
from collections.abc import Callable
from typing import Final

from schema.pictures.formats import bmp, gif, heif, jpeg, png, tiff, webp
from schema.pictures.header import Header, PictureFault, Problem, unsupported

TAKEN: Final = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF"

_AS_TEXT: Final = "a picture that was read as text on its way: transfer it as binary"
_STARTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"gimp xcf", "a GIMP document (XCF)"),
    (b"\xef\xbf\xbd\xef\xbf\xbd", _AS_TEXT),
    (b"\xef\xbf\xbdPNG", _AS_TEXT),
    (b"\xc3\xbf\xc3\x98", _AS_TEXT),
    (b"\xc2\x89PNG", _AS_TEXT),
    (b"\x89PNG", "a PNG whose line ends were changed on its way: transfer it as binary"),
    (b"\0\0\2\0\0", "a Targa picture (TGA)"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"icns", "an icon (ICNS)"),
    (b"DDS ", "a texture (DDS)"),
    (b"AT&TFORM", "DjVu"),
    (b"\xd7\xcd\xc6\x9a", "a drawing (WMF)"),
    (b"FOVb", "a camera's raw file (X3F)"),
    (b"\0MRM", "a camera's raw file (MRW)"),
    (b"L\0\0\0\1\x14\2\0", "a shortcut of Windows, not the picture"),
    (b"bplist00", "a property list of macOS"),
    (b"\0\5\x16\0", "AppleSingle"),
    (b"\0\0\2\0", "a cursor (CUR)"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x8aMNG", "a video (MNG)"),
    (b"qoif", "QOI"),
    (b"II+\0", "BigTIFF"),
    (b"MM\0+", "BigTIFF"),
    (b"II\xbc", "JPEG XR"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file (RAF)"),
    (b"IIU\0", "a camera's raw file (RW2)"),
    (b"IIRO", "a camera's raw file (ORF)"),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
    (b"OggS", "a video or sound (Ogg)"),
    (b"FLV\1", "a video (FLV)"),
    (b"\0\0\1\xba", "a video (MPEG)"),
    (b"\0\0\1\xb3", "a video (MPEG)"),
    (b"\x30\x26\xb2\x75", "a video (WMV)"),
    (b"ID3", "sound (MP3)"),
    (b"PK\3\4", "a zip, or a document that is one"),
    (b"PK\5\6", "an empty zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"\xd0\xcf\x11\xe0", "an old Office document, or Thumbs.db"),
    (b"\0\5\x16\7", "what macOS notes beside a file (AppleDouble), not the file"),
    (b"\0\0\0\1Bud1", "a folder's settings (.DS_Store)"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"SIMPLE  =", "FITS"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the picture: fetch it by `git lfs pull`"),
)
# What was encoded to travel in a text, maybe behind a mark of its encoding, an empty line or a quote.
_BEFORE_ENCODED: Final = rb"(?:\xef\xbb\xbf)?[\s\"']*"
_DATA_URL: Final = re.compile(_BEFORE_ENCODED + rb"data:", re.IGNORECASE)
_BASE64: Final = re.compile(
    _BEFORE_ENCODED
    # JPEG, PNG, WebP, GIF, TIFF of either order, AVIF and HEIC, BMP; "_" is "/" in addresses
    + rb"(?:[/_]9j[/_]|iVBORw0KGgo|UklGR|R0lGODlh|R0lGODdh|SUkqA|TU0AK|AAAA[A-Z]GZ0eX|Qk[0-3].{5}AAAA)"
)
_TEXTS: Final[tuple[tuple[bytes, str], ...]] = (
    (rb"<!doctype svg|<(\w+:)?svg\b", "SVG"),
    (rb"<(!doctype html|html|head|body|script|meta|title|div|p|h\d|br|center)\b", "HTML"),
    (rb"<(!doctype \w|[a-z]+[\s:>/])", "XML"),
    (rb"[{\[]", "JSON or text"),
    (rb"P[1-7]\s", "a Netpbm picture"),
)
_LOOKED_AT: Final = 2048  # bytes from the beginning
_OF_TEXT: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n\f"
_BEFORE_MARKUP: Final = re.compile(rb"<!--.*?-->|<\?xml[^>]*>", re.DOTALL)
_QUICKTIME: Final = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_BURIED_AT_MOST: Final = 512
_BURIED: Final = re.compile(
    b"(?P<JPEG>%s)|(?P<PNG>%s)" % (re.escape(jpeg.START), re.escape(png.START))
    + rb"|(?P<WebP>RIFF.{4}WEBP)|(?P<GIF>GIF8[79]a)"
    + rb"|(?P<HEIC>\0\0\0.ftyp(?:hei[cxms]|hev[cx]))|(?P<AVIF>\0\0\0.ftypavi[fs])",
    re.DOTALL,
)
_RIFF: Final = {b"AVI ": "a video (AVI)", b"WAVE": "sound (WAV)"}


def reader(data: bytes) -> Callable[[bytes], Header]:
    """Who reads the header of a file of this kind.

    Raises:
        PictureFault: the file is of no kind that is taken; its words say of which it is.
    """
    if data.startswith(jpeg.START):
        return jpeg.read
    if data.startswith(png.START):
        return png.read
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return webp.read
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return gif.read
    if data[:4] in tiff.STARTS:
        return tiff.read
    if set(heif.brands(data)) & {*heif.AVIF_BRANDS, *heif.HEIC_BRANDS}:
        return heif.read
    if bmp.is_bmp(data):
        return bmp.read
    raise _refusal(data)


def _refusal(data: bytes) -> PictureFault:
    if name := _binary_name(data):
        return unsupported(_sentence(name))
    if name := _text_name(data):
        return PictureFault(Problem.NO_PICTURE, _sentence(name))
    return PictureFault(Problem.NO_PICTURE, f"starts like no picture; give {TAKEN}")


def _sentence(name: str) -> str:
    return f"is {name}" if ": " in name else f"is {name}; give {TAKEN}"


def _binary_name(data: bytes) -> str | None:
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if brands := heif.brands(data):
        return "a camera's raw file (CR3)" if brands[0] == b"crx " else "a video"
    if data[4:8] in _QUICKTIME:
        return "a video (QuickTime)"
    return _encoded_name(data[:_LOOKED_AT]) or _buried_name(data)


def _encoded_name(head: bytes) -> str | None:
    if _DATA_URL.match(head):
        return "a data URL: decode it first"
    return "a picture in Base64: decode it first" if _BASE64.match(head) else None


def _buried_name(data: bytes) -> str | None:
    """What begins behind bytes that some program sent first: an empty line, a mark, a header of HTTP."""
    found = _BURIED.search(data, 1, _BURIED_AT_MOST)
    if not found or data[8:12] == b"WEBP":
        return None
    article = "an" if found.lastgroup == "AVIF" else "a"
    return f"{article} {found.lastgroup} behind {found.start()} bytes that are none of it: remove these"


def _text_name(data: bytes) -> str | None:
    if not data.strip(b"\0"):
        return "nothing but zero bytes"
    if not data.strip():
        return "nothing but white space"
    head = _as_ascii(data[:_LOOKED_AT])
    head = _BEFORE_MARKUP.sub(b"", head).lstrip() or head
    for pattern, name in _TEXTS:
        if re.match(pattern, head, re.IGNORECASE | re.DOTALL):
            return name
    return "text" if not head.translate(None, _OF_TEXT) else None


def _as_ascii(head: bytes) -> bytes:
    """The beginning of a text, in whatever encoding; letters beyond ASCII become x."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace").encode("ascii", "replace").replace(b"?", b"x")
    head = head.removeprefix(b"\xef\xbb\xbf")
    letters = sum(byte > 0x7F for byte in head)
    # In a text of Western letters most are of ASCII, and no byte is of those that control.
    return bytes(ord("x") if byte > 0x7F else byte for byte in head) if letters < len(head) / 3 else head
