"""Entries of a zip: their names as people wrote them, and what it takes to read them, held small."""

import unicodedata
from array import array
from collections.abc import Sequence
from typing import Final
from zipfile import ZipInfo

from components.storage.packed import Texts

_UTF_8: Final = 0x800  # a flag of an entry
_DOS: Final = "cp437"  # what zipfile takes the names of others for
_CODE_PAGES: Final = ("utf-8", _DOS, "cp1252")
_OF_ENTRY: Final = {
    "header_offset": "q",  # below 0 where the first bytes of the file are gone
    "compress_size": "Q",
    "file_size": "Q",
    "CRC": "I",
    "compress_type": "H",
    "flag_bits": "H",
}
"""What ``ZipFile.open`` asks of an entry that is not encrypted, besides its name: attribute → type of array."""

_BEYOND_ALL_FILES: Final = 2**42
"""Where hostile entries lie that say that they lie further on: file systems refuse places that no file can have."""


class Entries:
    """Entries of a zip by their places."""

    def __init__(self, entries: Sequence[ZipInfo]) -> None:
        self._names = Texts(entry.orig_filename for entry in entries)
        self._facts = {
            fact: array(kind, [min(getattr(entry, fact), _BEYOND_ALL_FILES) for entry in entries])
            for fact, kind in _OF_ENTRY.items()
        }

    def at(self, place: int) -> ZipInfo:
        """The entry at a place, as ``ZipFile.open`` wants it."""
        entry = ZipInfo(self._names.at(place))
        for fact, values in self._facts.items():
            setattr(entry, fact, values[place])
        return entry


def names_of(entries: Sequence[ZipInfo]) -> list[str]:
    """Plain names with slashes. Those that do not say that they are UTF-8 may be all the same, as macOS has them."""
    unsaid = [entry.filename for entry in entries if _is_unsaid(entry)]
    code_page = next((one for one in _CODE_PAGES if all(_is_in(name, one) for name in unsaid)), _DOS)
    return [_plain(_read_by(code_page, one.filename) if _is_unsaid(one) else one.filename) for one in entries]


def _is_unsaid(entry: ZipInfo) -> bool:
    """Whether the code page of a name is unknown; what DOS cannot write, Python 3.13 has from a field of Unicode."""
    if entry.flag_bits & _UTF_8 or entry.filename.isascii():
        return False
    try:
        entry.filename.encode(_DOS)
    except UnicodeError:
        return False
    return True


def _read_by(code_page: str, name: str) -> str:
    return name.encode(_DOS).decode(code_page)


def _plain(name: str) -> str:
    r"""The name ``a/b`` for ``./a//b`` and ``a\b``; one that leads out of the archive goes on doing so."""
    slashed = name.replace("\\", "/")
    return "/" * slashed.startswith("/") + "/".join(part for part in slashed.split("/") if part not in ("", "."))


def _is_in(name: str, code_page: str) -> bool:
    """Whether a name as zipfile reads it, as DOS wrote names, has letters alone beyond ASCII in this code page."""
    try:
        read = _read_by(code_page, name)
    except UnicodeError:
        return False
    return code_page == "utf-8" or all(one.isascii() or "LATIN" in unicodedata.name(one, "") for one in read)
