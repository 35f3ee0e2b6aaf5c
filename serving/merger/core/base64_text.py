"""Base64 as it comes in JSON: wrapped in lines, without padding, escaped, in the alphabet of URLs, in a data URL."""

import binascii
import re
import string
from typing import Final

BASE64: Final = (string.ascii_letters + string.digits + "+/-_").encode()
URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
CODES: Final = {"2b": "+", "2f": "/", "3d": "=", "0a": "", "0d": "", "09": "", "20": ""}


def _coded(prefix: str) -> dict[bytes, bytes]:
    cases = {code: meant for low, meant in CODES.items() for code in (low, low.upper())}
    return {f"{prefix}{code}".encode(): meant.encode() for code, meant in cases.items()}


ESCAPES: Final = {
    b"\\": {b"\\/": b"/", b"\\n": b"", b"\\r": b"", b"\\t": b""} | _coded("\\u00"),
    b"%": _coded("%"),
    b" ": {b" ": b""},
}
"""What JSON and URLs may make of Base64's own characters, and of lines."""
LONGEST_ESCAPE: Final = 6
DATA: Final = re.compile(rb"\s*data:", re.IGNORECASE)
DATA_URL: Final = re.compile(rb"\s*data:[^,]{0,200};\s*base64\s*,", re.IGNORECASE)


def short(text: bytes) -> bytes:
    """The bytes of a picture that was not cut out; protobuf would leave out what is no Base64."""
    begin = data_url(text) if DATA.match(text) else b""
    text = text.removeprefix(begin)
    require_lines(text, before=len(begin))
    return bytes_of(plain(b"".join(text.split())))


def require_lines(text: bytes, before: int = 0) -> None:
    """Spaces part lines of one length; others took the place of “+”, as a form is read, and bytes would be missing.

    Of the last line there may be less, and of the first what a data URL's beginning, of ``before`` characters, left.
    """
    widths = [len(plain(line)) for line in text.split()] if b" " in text else []
    if len(set(widths[1 if before else 0 : -1])) > 1:
        raise ValueError("has spaces in the place of “+”, which a form makes of it; send “+” there as %2B")


def split(piece: bytes) -> tuple[bytes, bytes]:
    """As much of Base64 as stands for whole bytes, and the rest, which needs more."""
    end = len(piece) - next((n for n in range(1, LONGEST_ESCAPE) if piece[-n] in b"\\%"), 0)  # no escape is torn
    text = plain(piece[:end])
    whole = len(text) - len(text) % 4
    return text[:whole], text[whole:] + piece[end:]


def plain(text: bytes) -> bytes:
    """Base64 alone: without what JSON, URLs and mail add to it."""
    for mark, escapes in ESCAPES.items():
        if mark in text:
            for escape, meant in escapes.items():
                text = text.replace(escape, meant)
    return text.translate(URL_SAFE)


def data_url(text: bytes) -> bytes:
    """The beginning of a data URL, up to its Base64."""
    start = DATA_URL.match(text)
    if start is None:
        begin = text[:40].decode(errors="replace")
        raise ValueError(f"is a data URL without Base64, {begin!r}; send data:…;base64,… or Base64 alone")
    return start[0]


def bytes_of(piece: bytes) -> bytes:
    """What Base64 stands for, with its padding or without.

    Raises:
        ValueError: it is none; the message says why.
    """
    piece = piece.rstrip(b"=")
    if others := piece.translate(None, BASE64):
        raise ValueError(f"is not Base64: it has {others[:8].decode(errors='replace')!r}")
    try:
        return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))
    except binascii.Error as error:
        raise ValueError(f"is not Base64: {error}") from error
