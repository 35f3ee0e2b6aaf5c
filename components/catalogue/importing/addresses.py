"""What a cell says of its picture: a path, a URL, or either of them in the dress of another tool."""

import json
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from components.catalogue.reading.findings import Reason
from schema.file_names import PICTURE_SUFFIXES

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
# Each looks at a run of spaces once, from where it begins: cells that are filled up with them take no minutes.
_BETWEEN_URLS: Final = re.compile(r"(?<![,;|\s])[,;|\s]+(?=(?:https?:)?//)", re.IGNORECASE)
_BETWEEN_FILES: Final = re.compile(r"(?:(?<!\s)\s+)?[,;|\n]\s*")
_AROUND: Final = " \t\r\n,;|"
_FETCHED: Final = ("http://", "https://")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")
_SUFFIX: Final = f"(?:{'|'.join(map(re.escape, PICTURE_SUFFIXES))})"
_IN_FORMULA: Final = re.compile(rf'"((?:https?:)?//[^"\s]+|[^"=]+{_SUFFIX})"', re.IGNORECASE)
"""What ``=IMAGE("…")`` and ``=HYPERLINK("…","…")`` show, in any language of a spreadsheet."""
_IN_PAGE: Final = re.compile(
    r"""(?:<a\b[^<>]*>\s*)?<img\b[^<>]*?\ssrc\s*=\s*["']?([^"'\s<>]+)|!\[[^\][]*\]\(([^()\s]+)\)""", re.IGNORECASE
)
_ATTACHED: Final = re.compile(rf"([^\n]*?{_SUFFIX})\s?\((https?://[^()\s]+)\)(?:,\s?|$)", re.IGNORECASE)
"""As Airtable writes an attachment: ``front.jpg (https://…)``."""


class NotTaken(Exception):
    """A row or its picture cannot be taken: the reason, and the particulars."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def first_of(text: str) -> tuple[str, int]:
    """The first picture that a cell names, and how many more it names."""
    text = text.strip(_AROUND)
    if listed := _listed(text) or _wrapped(text):
        return listed[0], len(listed) - 1
    if text.lower().startswith(("http://", "https://", "//")):
        pictures = _BETWEEN_URLS.split(text)
    else:
        pictures = _BETWEEN_FILES.split(text)
        if not all(without_query(one).lower().endswith(PICTURE_SUFFIXES) for one in pictures):  # a name with a comma
            pictures = [text]
    return pictures[0], len(pictures) - 1


def without_query(path: str) -> str:
    """A path without what a shop's page asks of its picture, as in ``1.jpg?v=2``; a name may hold such a sign."""
    plain = path.partition("?")[0].partition("#")[0]
    return plain if plain.lower().endswith(PICTURE_SUFFIXES) else path


def _listed(text: str) -> list[str]:
    """The texts of a list as JSON and Python write it; none where a cell is no such list."""
    if not (text.startswith("[") and text.endswith("]")):
        return []
    try:
        members = json.loads(text if '"' in text else text.replace("'", '"'))
    except (ValueError, RecursionError):
        return []  # a name in brackets
    return [one.strip() for one in members if isinstance(one, str) and one.strip()]


def _wrapped(text: str) -> list[str]:
    """The pictures that a formula, an element of a page, Markdown or Airtable's list of attachments show."""
    if text.startswith("="):
        return _IN_FORMULA.findall(text)[:1]
    if text.startswith(("<", "![")):
        return ["".join(one) for one in _IN_PAGE.findall(text)] if _IN_PAGE.match(text) else []
    attached, end = [], 0
    while "(http" in text and (found := _ATTACHED.match(text, end)):  # from where the one before ends, and nowhere else
        attached.append(found.group().rstrip(", "))
        end = found.end()
    return attached if end == len(text) else []


def address_of(text: str) -> tuple[str, str]:
    """The name of a picture and its URL, which may be told beside each other; both empty where there is no URL."""
    if attached := _ATTACHED.fullmatch(text) if "(http" in text else None:
        return attached.group(1).strip(), attached.group(2)
    url = _url_of(text)
    return _name_in_url(url), url


def _url_of(text: str) -> str:
    """The URL that a cell holds, of any scheme; empty if it holds something else."""
    if text.startswith("//"):
        return f"https:{text}"
    scheme = _SCHEME.match(text)
    if not scheme or _DRIVE.match(text) or scheme.group(1).lower() == "file":
        return ""
    return text if "://" in text or scheme.group(1).lower() == "data" else ""


def require_fetched(url: str) -> None:
    """Sees to it that a URL is of a kind that is fetched.

    Raises:
        NotTaken: it is not.
    """
    if not url.lower().startswith(_FETCHED):
        raise NotTaken(
            Reason.NOT_FETCHED,
            f"{url[:60]!r} is neither http nor https; lay the pictures beside the sheet, named by id or as there",
        )


def _name_in_url(url: str) -> str:
    """The name of the file at the end of a URL; empty where it has none."""
    if url.lower().startswith("data:"):
        return ""
    try:
        return unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        return ""
