"""The files that a pattern means, here or in a store; what cannot be looked into is told."""

import errno
import fnmatch
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from serving.client.listing import Listing, files_below

MAGIC: Final = "*?["
_NOTHING: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def globbed(place: Path, pattern: Sequence[str], listing: Listing) -> Iterator[Path]:
    """The files below a place; what ``**`` stands for is looked through as a folder is, links left out.

    Args:
        place: where the pattern begins.
        pattern: its parts.
        listing: notes the folders that cannot be looked into.
    """
    at = list(pattern).index("**") if "**" in pattern else len(pattern)
    for top in _expanded(place, pattern[:at], place, listing):
        if not top.is_dir():
            yield from [top] if at == len(pattern) else []
        elif at < len(pattern):
            below = files_below(top, place, listing)
            yield from (path for path in below if path.is_dir() or matches(path.relative_to(top).parts, pattern[at:]))


def matches(name: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a name are meant by those of a pattern."""
    if not pattern:
        return not name
    if pattern[0] == "**":
        return any(matches(name[start:], pattern[1:]) for start in range(len(name) + 1))
    # A key that has a magic character itself means itself, as a path of this machine does.
    is_first = bool(name) and (name[0] == pattern[0] or fnmatch.fnmatchcase(name[0], pattern[0]))
    return is_first and matches(name[1:], pattern[1:])


def _expanded(folder: Path, pattern: Sequence[str], place: Path, listing: Listing) -> Iterator[Path]:
    """What is there; glob itself passes over folders that are closed without a word."""
    if not pattern:
        yield folder
        return
    try:
        found = _named(folder, pattern[0])
    except OSError as error:
        if error.errno not in _NOTHING:
            listing.note(folder, place, error)
        return
    for name in found:
        yield from _expanded(folder / name, pattern[1:], place, listing)


def _named(folder: Path, part: str) -> list[str]:
    """The names in a folder that a part of a pattern means; a star means no hidden ones."""
    if not any(one in part for one in MAGIC):
        os.lstat(folder / part)
        return [part]
    with os.scandir(folder) as entries:
        found = [entry.name for entry in entries if fnmatch.fnmatchcase(entry.name, part)]
    return sorted(name for name in found if part.startswith(".") or not name.startswith("."))
